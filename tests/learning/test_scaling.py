import dataclasses

import numpy as np
import pytest
import scipy.stats
from sklearn.preprocessing import StandardScaler

from pipeline.learning.experiment_data import frame_labels, scaled_view
from pipeline.learning.scaling import Scaler, count_gaps
from pipeline.learning.speaker_statistics import Values
from pipeline.params import Scaling
from tests.learning.synthetic import Source, sessions


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


def test_clear_errors_and_counts():
    with pytest.raises(ValueError, match="no valid row"):
        Scaler.fit([values([[1.0]], [False])], "standard")
    scaler = Scaler.fit([values([[1.0, 2.0]])], "standard")
    with pytest.raises(ValueError, match=r"expected \(frames, 2\)"):
        scaler.apply(values([[1.0]]))
    assert count_gaps([values([[np.nan, 1], [2, 3]], [False, True]), values([[np.inf, 1]])]) == (3, 1, 2)
