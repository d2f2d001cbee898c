import numpy as np
import pytest

from pipeline.scoring.told_apart import told_apart

SPEAKERS = np.repeat([f"s{i}" for i in range(8)], 25)


@pytest.mark.parametrize("rows", [2000, 500])
def test_one_cloud_is_at_chance_and_two_clouds_at_one(rows):
    rng = np.random.default_rng(0)
    speakers = np.arange(2000) % 40
    one, other = rng.normal(size=(2000, 6)), rng.normal(size=(rows, 6))
    assert told_apart(one, other, speakers, speakers[:rows]) == pytest.approx(0.5, abs=0.04)
    assert told_apart(one, other + 12 * np.eye(6)[2], speakers, speakers[:rows]) == 1
    assert told_apart(one + 1e3, other + 1e3, speakers, speakers[:rows]) == pytest.approx(0.5, abs=0.04)


def test_half_apart_by_hand():
    """A shift of 2 standard deviations along one axis: the best line errs in Phi(-1) = .159 of the cases."""
    rng = np.random.default_rng(1)
    speakers = np.arange(20_000) % 40
    one, other = rng.normal(size=(2, 20_000, 2))
    other[:, 0] += 2
    assert told_apart(one, other, speakers, speakers) == pytest.approx(0.841, abs=0.01)


def test_what_a_speaker_alone_shows_does_not_count():
    """The difference between modalities has another direction for each speaker: unseen ones are at chance."""
    rng = np.random.default_rng(2)
    shifts = dict(zip(np.unique(SPEAKERS), 9 * np.eye(8), strict=True))
    one, other = rng.normal(size=(2, 200, 8))
    other = other + np.array([shifts[name] for name in SPEAKERS])
    assert told_apart(one, other, SPEAKERS, SPEAKERS) < 0.7
    everywhere = np.arange(200) % 8  # groups that cut through speakers
    assert told_apart(one, other, everywhere, everywhere) > 0.9


def test_nothing_to_learn_from_is_nan_and_equal_embeddings_are_at_chance():
    one = np.random.default_rng(0).normal(size=(20, 3))
    assert np.isnan(told_apart(one, one, ["a"] * 20, ["a"] * 20))
    assert np.isnan(told_apart(one, one[:0], SPEAKERS[:20], SPEAKERS[:0]))
    assert told_apart(np.ones((20, 3)), np.ones((20, 3)), ["a", "b"] * 10, ["a", "b"] * 10) == 0.5
    # one modality per speaker, two speakers: to test one is to know one modality only
    assert np.isnan(told_apart(one, one, ["a"] * 20, ["b"] * 20))
