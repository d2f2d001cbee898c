import dataclasses

import numpy as np
import pytest
import scipy.stats
from sklearn.preprocessing import StandardScaler

from pipeline.learning.frame_labels import frame_labels
from pipeline.learning.scaling import Scaler, count_gaps
from pipeline.learning.speaker_statistics import Values
from pipeline.learning.systems.emobed.grid import USED
from pipeline.learning.views import scaled_view
from pipeline.params import Scaling
from tests.learning.synthetic import Source, learning, sessions


def values(array, valid=None) -> Values:
    array = np.asarray(array, np.float32)
    return Values(array, np.ones(len(array), bool) if valid is None else np.asarray(valid))


def test_standard_equals_scikit_learn():
    random = np.random.default_rng(0)
    train = [values(random.normal(3, 5, size=(n, 4))) for n in (10, 7)]
    other = values(random.normal(size=(5, 4)))
    expected = StandardScaler().fit(np.concatenate([t.values for t in train])).transform(other.values)
    np.testing.assert_allclose(Scaler.fit(train, "standard").apply(other), expected, atol=1e-5)


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_constant_features_become_zero_everywhere(method):
    train = np.full((20, 3), 0.1, np.float32)
    train[:, 1] = np.arange(20)
    train[:, 2] = 1e6 + 1e-3 * np.arange(20)  # below float32's precision: constant
    scaled = Scaler.fit([values(train)], method).apply(values(train + np.array([7.0, 0, 0])))
    assert not scaled[:, 0].any()
    assert not scaled[:, 2].any()
    assert np.abs(scaled).max() < 3


def test_values_that_are_not_finite_become_the_train_mean():
    train = np.array([[1.0, 5], [3, np.nan], [np.nan, 7], [2, 6]])
    scaler = Scaler.fit([values(train)], "standard")
    scaled = scaler.apply(values(train))
    assert np.isfinite(scaled).all()
    assert scaled[2, 0] == 0
    np.testing.assert_allclose(scaled[[0, 1, 3], 0], scipy.stats.zscore([1.0, 3, 2]), atol=1e-6)
    all_missing = Scaler.fit([values(np.full((4, 2), np.nan))], "standard")
    assert not all_missing.apply(values(train)).any()


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_rows_that_are_not_valid_take_no_part_in_fitting(method):
    random = np.random.default_rng(1)
    good = random.normal(size=(30, 2))
    both = values(np.concatenate((good, np.full((5, 2), 1e3))), [True] * 30 + [False] * 5)
    one, two = Scaler.fit([values(good)], method), Scaler.fit([both], method)
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name])


def test_rows_that_are_not_valid_and_zero_stay_zero_but_held_ones_are_used():
    scaler = Scaler.fit([values([[1.0], [3.0]])], "standard")
    scaled = scaler.apply(values([[0.0], [3.0], [0.0]], [False, False, True]))
    np.testing.assert_allclose(scaled[:, 0], [0, 1, -2])


def test_rank_gauss_makes_any_monotonous_feature_normal():
    random = np.random.default_rng(2)
    hidden = random.normal(size=(800, 1))
    scaled = Scaler.fit([values(np.exp(2 * hidden))], "rank_gauss").apply(values(np.exp(2 * hidden)))
    ranks = (scipy.stats.rankdata(hidden) - 0.5) / 800
    np.testing.assert_allclose(scaled[:, 0], scipy.stats.norm.ppf(ranks), atol=0.02)
    assert np.isfinite(Scaler.fit([values(hidden)], "rank_gauss").apply(values([[-99.0], [99.0]]))).all()


def test_rank_gauss_is_the_normal_score_of_the_mid_rank_in_train_and_interpolates_between():
    random = np.random.default_rng(5)
    train = np.column_stack((random.normal(size=60), random.integers(0, 4, 60), random.exponential(size=60)))
    scaler = Scaler.fit([values(train[:25]), values(train[25:])], "rank_gauss")
    train = train.astype(np.float32).astype(float)
    expected = scipy.stats.norm.ppf((scipy.stats.rankdata(train, axis=0) - 0.5) / 60)
    np.testing.assert_allclose(scaler.apply(values(train)), expected, atol=1e-6)
    # others lie between their neighbours in train, and never beyond the ends
    low, high = np.sort(train[:, 0])[[20, 21]]
    between, below, above = low + 0.25 * (high - low), train.min() - 9, train.max() + 9
    found = scaler.apply(values(np.column_stack(([between, below, above], [0, -1, 7], [0.5] * 3))))
    expected = scipy.stats.norm.ppf(np.array([20.75, 0.5, 59.5]) / 60)  # levels 20.5 / 60 and 21.5 / 60
    np.testing.assert_allclose(found[:, 0], expected, atol=1e-4)
    np.testing.assert_allclose(found[1:, 1], expected[1:], atol=1e-6)


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_dev_and_test_take_no_part_in_fitting(method):
    corpus = sessions(counts=(3, 2, 2))
    own = frame_labels(corpus.labels, "arousal")
    moved = {
        name: dataclasses.replace(rows, values=rows.values * 50 - 9) if not name.startswith("train") else rows
        for name, rows in corpus.audio.rows.items()
    }
    scaling = Scaling(method=method, speaker="none")
    one, two = (
        scaled_view(corpus.recordings, source, own, scaling, "audio", "target")
        for source in (corpus.audio, Source(moved))
    )
    assert one.sequences.partition("train").sha256() == two.sequences.partition("train").sha256()
    assert one.sequences.partition("dev").sha256() != two.sequences.partition("dev").sha256()


def test_centring_moves_a_speaker_by_n_over_n_plus_2():
    train = [values([[0.0], [2.0]]), values([[4.0], [6.0]])]  # mean 3
    own = [values([[9.0], [11.0]]), values([[10.0], [10.0]])]  # n = 2, mean 10: half of the way
    scaler = Scaler.fit(train, "standard", "centre", [[train[0]], [train[1]]])
    assert scaler.offset(own).tolist() == pytest.approx([(10 - 3) / 2])
    assert scaler.offset([]).tolist() == [0]
    # fitted on centred train: speakers at 1 and 5, n = 1, moved by a third of -2 and 2
    centred = np.array([0, 2, 4, 6]) - np.repeat([-2 / 3, 2 / 3], 2)
    assert scaler.arrays["mean"][0] == pytest.approx(centred.mean())
    assert 1 / scaler.arrays["factor"][0] == pytest.approx(centred.std())
    none = Scaler.fit(train, "standard", "none")
    assert none.offset(own).tolist() == [0]


@pytest.mark.parametrize("speaker", ["none", "centre", "standardise"])
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_clip_limits_what_all_else_has_made_and_changes_nothing_that_is_fitted(method, speaker):
    random = np.random.default_rng(6)
    train = [values(random.normal(shift, 1, size=(30, 3))) for shift in (0, 2)]
    wild = random.normal(size=(20, 3)) * [1, 40, 3000]
    wild[0], wild[1, 0], wild[2, 1], wild[3] = 0, np.nan, np.inf, [2e38, -2e38, 1e30]
    item, own = values(wild, [False] + [True] * 19), [values(random.normal(1, 0.2, size=(4, 3)))] * 3
    without, limited = (Scaler.fit(train, method, speaker, [[t] for t in train], m) for m in (None, 1.5))
    for name, array in without.arrays.items():
        np.testing.assert_array_equal(array, limited.arrays[name])
    np.testing.assert_array_equal(without.statistics([item]).mean, limited.statistics([item]).mean)
    for enrolment in ((), own):
        expected, count = without.apply(item, enrolment), 0
        for row in expected:
            for f, value in enumerate(row):
                count += abs(value) > 1.5
                row[f] = min(max(value, -1.5), 1.5)
        found, counted = limited.apply_counted(item, enrolment)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(limited.apply_each(item, [own, enrolment])[1], expected)
        assert counted == count > 10
        assert without.apply_counted(item, enrolment)[1] == 0
        assert not found[0].any()
        assert np.unique(np.abs(found)).max() == 1.5


def test_rank_gauss_is_within_bounds_of_its_own():
    train = values(np.random.default_rng(7).normal(size=(3000, 1)))
    far = values([[-1e9], [1e9]])
    bound = scipy.stats.norm.ppf(1 - 0.5 / 1000)
    assert bound < 3.3
    np.testing.assert_allclose(Scaler.fit([train], "rank_gauss").apply(far)[:, 0], [-bound, bound], atol=1e-6)


def test_what_is_limited_is_in_the_log_and_in_all_partitions(caplog):
    corpus = sessions(counts=(3, 2, 2))
    own = frame_labels(corpus.labels, "arousal")
    free, limited = (
        scaled_view(corpus.recordings, corpus.audio, own, Scaling(method="standard", speaker="none", clip=m),
                    "audio", "target").sequences
        for m in (None, 0.5)
    )  # fmt: skip
    every = np.concatenate(free.features)
    (said,) = [line.getMessage() for line in caplog.records if "limited" in line.getMessage()]
    assert said == (
        f"audio (target): {(np.abs(every) > 0.5).sum()} of {every.size} scaled values lie beyond 0.5 "
        "standard deviations of train and are limited to them"
    )
    for one, other in zip(free.features, limited.features, strict=True):
        np.testing.assert_array_equal(np.clip(one, -0.5, 0.5), other)


def test_only_a_limit_changes_what_units_of_the_store_depend_on():
    plain, limited, wider = (learning(scaling={"clip": m}) for m in (None, 10, 20))
    before = {"method": "standard", "speaker": "none", "enrolment": "all"}
    assert learning().said({"scaling"}) == plain.said({"scaling"}) == {"scaling": before}
    assert limited.said({"scaling"}) == {"scaling": before | {"clip": 10}}
    assert limited.said(USED) != wider.said(USED)
    dumped = plain.model_dump(mode="json", include=USED)
    assert plain.said(USED) == dumped | {"scaling": before}
    assert limited.said({"loss"}) == plain.said({"loss"}) == {"loss": "ccc"}
    assert learning(ccc="sequence").said({"loss"}) == {"loss": "ccc", "ccc": "sequence"}


def test_clear_errors_and_counts():
    with pytest.raises(ValueError, match="no valid row"):
        Scaler.fit([values([[1.0]], [False])], "standard")
    scaler = Scaler.fit([values([[1.0, 2.0]])], "standard")
    with pytest.raises(ValueError, match=r"expected \(frames, 2\)"):
        scaler.apply(values([[1.0]]))
    assert count_gaps([values([[np.nan, 1], [2, 3]], [False, True]), values([[np.inf, 1]])]) == (3, 1, 2)
