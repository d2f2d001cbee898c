import dataclasses

import numpy as np
import pytest

from pipeline.learning.frame_labels import frame_labels
from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.learning.varied_enrolment import varied
from pipeline.learning.views import scaled_view
from pipeline.params import Scaling
from tests.learning.synthetic import Source, clips

NAN = float("nan")


def values(array, valid=None) -> Values:
    array = np.asarray(array, np.float32)
    return Values(array, np.ones(len(array), bool) if valid is None else np.asarray(valid))


def speakers(random, counts=(4, 1, 3), frames=(1, 6)):
    """Return recordings of speakers with means and deviations of their own, with gaps."""
    found = []
    for count in counts:
        mean, spread = random.normal(0, 3, 3), random.uniform(0.2, 4, 3)
        own = []
        for _ in range(count):
            rows = np.exp(0.3 * random.normal(mean, spread, (random.integers(*frames), 3)))
            rows[random.random(rows.shape) < 0.15] = NAN
            own.append(values(rows, random.random(len(rows)) < 0.8))
        found.append(own)
    found[0][0].valid[:] = True
    return found


def naive(train, own, item, method):
    """Scale one recording value by value, after the scaling without speakers, which has tests of its own."""
    plain = Scaler.fit(train, method)

    def known(recording, f):
        scaled = plain.apply(recording)[:, f].astype(float)
        given = zip(scaled, recording.values[:, f], recording.valid, strict=True)
        return [u for u, x, valid in given if valid and np.isfinite(x)]

    result = np.zeros(item.values.shape)
    for f in range(item.values.shape[1]):
        of_train = [u for recording in train for u in known(recording, f)]
        m0, d0 = np.mean(of_train), np.std(of_train)
        mine = [u for recording in own for u in known(recording, f)]
        n = sum(bool(known(recording, f)) for recording in own)
        w = n / (n + 2)
        m_s, d_s = (np.mean(mine), np.std(mine)) if mine else (0.0, 0.0)
        m, d = w * m_s + (1 - w) * m0, np.sqrt(w * d_s**2 + (1 - w) * d0**2)
        for row, u in enumerate(plain.apply(item)[:, f]):
            if np.isfinite(item.values[row, f]):
                result[row, f] = m0 + (float(u) - m) * d0 / d
    return result


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_standardise_equals_a_naive_loop(method, seed):
    random = np.random.default_rng(seed)
    of_train = speakers(random)
    train = [item for own in of_train for item in own]
    scaler = Scaler.fit(train, method, "standardise")
    for own in [*of_train, *speakers(random, (2, 1)), []]:
        for item in own or train[:2]:
            np.testing.assert_allclose(scaler.apply(item, own), naive(train, own, item, method), atol=1e-5)


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_of_many_recordings_mean_and_deviation_become_those_of_train_and_of_none_nothing_changes(method):
    random = np.random.default_rng(4)
    train = [values(random.normal(0, 1, (20, 2))) for _ in range(5)]
    own = [values(random.normal(0.7, 0.4, (20, 2))) for _ in range(400)]
    scaler, plain = (Scaler.fit(train, method, speaker) for speaker in ("standardise", "none"))
    known = scaler.statistics(own)
    scaled = np.concatenate([scaler.apply(item, known) for item in own])
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(scaler.apply(own[0]), plain.apply(own[0]), atol=1e-6)
    assert scaler.offset(own).tolist() == [0, 0]


def test_one_utterance_never_stretches_by_more_than_the_root_of_three_halves():
    train = [values([[x]]) for x in (-1.0, 1.0)]
    scaler = Scaler.fit(train, "standard", "standardise")
    # w = 1/3: m = 4/3, d^2 = 2/3
    assert scaler.apply(values([[4.0]]), [values([[4.0]])])[0, 0] == pytest.approx((4 - 4 / 3) * 1.5**0.5)


@pytest.mark.parametrize("speaker", ["centre", "standardise"])
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_what_a_speaker_never_shows_is_left_where_it_is(method, speaker):
    random = np.random.default_rng(5)
    train = [values(random.normal(5, 1, (9, 3)) * [1, 1, 0] + [0, 0, 0.1]) for _ in range(3)]
    scaler = Scaler.fit(train, method, speaker, [[item] for item in train])
    own = [
        values([[6.0, NAN, 0.1], [7.0, NAN, 0.1]]),
        values([[NAN, NAN, 3.0]]),
        values([[9, 9, 9]], [False]),
    ]
    item = values([[6.0, 5.5, 9.0], [NAN, NAN, NAN], [0, 0, 0]], [True, True, False])
    with_own, without = scaler.apply(item, own), scaler.apply(item)
    assert with_own[0, 1] == without[0, 1] != 0
    assert with_own[0, 0] != without[0, 0]
    assert with_own[:, 2].tolist() == [0, 0, 0]  # constant in train
    assert not with_own[1:].any()
    assert scaler.statistics(own).recordings.tolist() == [1, 0, 2]
    assert scaler.statistics(own).rows.tolist() == [2, 0, 3]


@pytest.mark.parametrize("speaker", ["centre", "standardise"])
@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_statistics_stand_for_the_recordings_and_merge(method, speaker):
    random = np.random.default_rng(6)
    of_train = speakers(random)
    train = [item for own in of_train for item in own]
    scaler = Scaler.fit(train, method, speaker, [own for own in of_train for _ in own])
    (own,) = speakers(random, (7,))
    whole = scaler.statistics(own)
    parts = [scaler.statistics(part) for part in (own[:3], own[3:4], [], own[4:])]
    merged = SpeakerStatistics.merged(parts, 3)
    for name in ("recordings", "rows", "mean", "deviation"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), atol=1e-9)
    expected = scaler.apply(own[0], own)
    np.testing.assert_allclose(scaler.apply(own[0], merged), expected, atol=1e-6)
    none = SpeakerStatistics.merged([], 3)
    every = scaler.apply_each(own[0], [merged, none, own, ()])
    assert every.shape == (4, *own[0].values.shape)
    np.testing.assert_allclose(every[0], expected, atol=1e-6)
    np.testing.assert_array_equal(every[1], every[3])
    np.testing.assert_array_equal(every[2], expected)
    with pytest.raises(ValueError, match="the enrolment is of 2 features, expected 3"):
        scaler.apply(own[0], SpeakerStatistics.merged([], 2))


def test_merging_loses_nothing_to_a_large_mean():
    random = np.random.default_rng(7)
    rows = 1e6 + random.normal(size=(60, 1))
    items = [Values(rows[i : i + 20], np.ones(20, bool)) for i in range(0, 60, 20)]
    merged = SpeakerStatistics.merged([SpeakerStatistics.of([item], 1) for item in items], 1)
    assert merged.deviation[0] == pytest.approx(rows.std(), rel=1e-6)


@pytest.mark.parametrize("speaker", ["centre", "standardise"])
def test_a_recording_without_a_speaker_is_nobody_elses(speaker):
    corpus = clips()
    labels = frame_labels(corpus.labels, "emotion")
    nameless = [dataclasses.replace(item, speaker="") for item in corpus.recordings]
    alone = [dataclasses.replace(item, speaker=item.recording) for item in corpus.recordings]
    scaling = Scaling(method="standard", speaker=speaker)
    one, two, other = (
        scaled_view(items, corpus.audio, labels, scaling, "audio", "target").sequences
        for items in (nameless, alone, corpus.recordings)
    )
    assert all(np.array_equal(a, b) for a, b in zip(one.features, two.features, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one.features, other.features, strict=True))


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_speakers_of_dev_and_test_take_no_part_in_fitting(method):
    corpus = clips()
    labels = frame_labels(corpus.labels, "emotion")
    partition = {item.recording: item.partition for item in corpus.recordings}
    moved = {
        name: rows
        if partition[name] == "train"
        else dataclasses.replace(rows, values=(rows.values * 50 - 9).astype(np.float32))
        for name, rows in corpus.audio.rows.items()
    }
    scaling = Scaling(method=method, speaker="standardise")
    one, two = (
        scaled_view(corpus.recordings, source, labels, scaling, "audio", "target")
        for source in (corpus.audio, Source(moved))
    )
    assert one.sequences.partition("train").sha256() == two.sequences.partition("train").sha256()
    assert one.sequences.partition("dev").sha256() != two.sequences.partition("dev").sha256()


@pytest.mark.parametrize("speaker", ["centre", "standardise"])
def test_varied_enrolment_scales_train_by_some_and_dev_and_test_by_all(speaker):
    corpus = clips()
    labels = frame_labels(corpus.labels, "emotion")
    every, varied = (
        scaled_view(
            corpus.recordings, corpus.audio, labels, Scaling(
                method="standard", speaker=speaker, enrolment=enrolment
            ), "audio", "target",
        )
        for enrolment in ("all", "varied")
    )  # fmt: skip
    evaluation = zip(every.evaluation.features, varied.evaluation.features, strict=True)
    assert all(np.array_equal(a, b) for a, b in evaluation)
    # the scaling is fitted as before: each train row is what one of the numbers gives
    scaler = varied.scaler
    for name, array in every.scaler.arrays.items():
        np.testing.assert_array_equal(array, scaler.arrays[name])
    rows = {name: Values(own.values, own.valid) for name, own in corpus.audio.rows.items()}
    speakers_of = {item.recording: item.speaker for item in corpus.recordings}
    train = varied.sequences.partition("train")
    alone = 0
    for name, found in zip(train.recordings, train.features, strict=True):
        own = [rows[other] for other, who in speakers_of.items() if who == speakers_of[name]]
        alone += np.array_equal(found, scaler.apply(rows[name]))
        assert len(own) > 1
    assert 0 < alone < len(train.recordings) / 2


def test_numbers_drawn_are_all_of_them_alike_often_and_never_with_oneself_but_for_all():
    single = {
        f"clip{i}": SpeakerStatistics.of([values(np.full((1, 1), 10.0**i))], 1) for i in range(6)
    }  # fmt: skip
    counts = {}
    for repeat in range(200):
        names = {f"{repeat}/{name}": own for name, own in single.items()}
        for name, own in varied(names, 1).items():
            n = int(own.recordings[0])
            counts[n] = counts.get(n, 0) + 1
            digits = f"{round(float(own.mean[0] * n)):06d}"[::-1]  # digit i: is clip i among them?
            assert digits.count("1") == n
            assert (digits[int(name[-1])] == "1") == (n == 6)
    assert sorted(counts) == [0, 1, 2, 4, 6]  # of five others, or all six
    assert min(counts.values()) > 0.8 * 1200 / 5
    assert varied({"only": single["clip0"]}, 1)["only"].recordings.tolist() in ([0], [1])
