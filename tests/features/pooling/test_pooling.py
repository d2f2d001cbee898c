import numpy as np
import pytest

from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.pooling import fill, pool
from pipeline.params import Grid, Pooling
from pipeline.store.rows import Rows

BOTH = Pooling(statistics=("mean", "std"), no_face="hold")


def frames(values, valid=None, rate_hz=5.0):
    values = np.asarray(values, np.float32)
    start = np.arange(len(values)) / rate_hz
    valid = np.ones(len(values), bool) if valid is None else np.asarray(valid)
    return Rows(start, start + 1 / rate_hz, values, valid, tuple(f"f{i}" for i in range(values.shape[1])))


def test_against_a_naive_loop():
    rng = np.random.default_rng(0)
    values = rng.normal(100, 3, size=(100, 4)).astype(np.float32)
    rows = pool(frames(values), BOTH, Grid(window=4.0, hop=0.2))
    times = np.arange(100) / 5
    assert len(rows) == 101
    for k in range(len(rows)):
        start = min(max(k * 0.2 - 2, 0), 16)
        inside = values[(times >= start - 1e-6) & (times <= start + 4 + 1e-6)].astype(np.float64)
        assert rows.start[k] == pytest.approx(start)
        np.testing.assert_allclose(rows.values[k, :4], inside.mean(0), rtol=1e-6)
        np.testing.assert_allclose(rows.values[k, 4:], inside.std(0), rtol=1e-5)
    assert rows.names == ("f0_mean", "f1_mean", "f2_mean", "f3_mean", "f0_std", "f1_std", "f2_std", "f3_std")


def test_constants_stay_constant():
    rows = pool(frames(np.full((60, 2), 7.3)), BOTH, Grid(window=2.0, hop=0.2))
    np.testing.assert_allclose(rows.values[:, :2], np.float32(7.3), rtol=1e-6)
    np.testing.assert_array_equal(rows.values[:, 2:], 0)


def test_utterance_is_one_row_over_all_frames():
    rows = pool(frames([[1.0], [3.0], [8.0]]), BOTH, Grid(window=None, hop=None))
    assert rows.values[0] == pytest.approx([4.0, np.std([1, 3, 8])])
    assert (rows.start[0], rows.end[0]) == (0, pytest.approx(0.6))


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("hold", [2, 2, 2, 2, 8]), ("interpolate", [2, 2, 4, 6, 8]), ("zero", [0, 2, 0, 0, 8])],
)
def test_frames_without_a_face_by_hand(policy, expected):
    values = np.array([[9], [2], [9], [9], [8]], np.float32)
    valid = np.array([False, True, False, False, True])
    np.testing.assert_allclose(fill(values, valid, policy)[:, 0], expected, rtol=1e-6)


def test_windows_without_any_face_are_marked():
    valid = np.arange(100) < 50  # faces in the first ten seconds only
    rows = pool(frames(np.ones((100, 1)), valid), BOTH, Grid(window=2.0, hop=0.2))
    np.testing.assert_array_equal(rows.valid, rows.start < 9.8 + 1e-6)  # the last face is at 9.8 s


def test_no_face_at_all_gives_zeros_and_no_valid_row():
    rows = pool(frames(np.ones((50, 2)), np.zeros(50, bool)), BOTH, Grid(window=2.0, hop=0.2))
    assert not rows.valid.any()
    assert not rows.values.any()


def test_a_coarser_video_than_the_hop_still_fills_every_row():
    rows = pool(frames([[1.0], [2.0], [3.0], [4.0]], rate_hz=0.5), BOTH, Grid(window=0.4, hop=0.2))
    assert len(rows) == 41
    assert rows.values[20, 0] == pytest.approx(3.0)  # window 3.8..4.2 holds the frame of 4 s
    assert rows.values[17, 0] == pytest.approx(2.0)  # window 3.2..3.6 holds none: the last shown before


def test_shorter_than_a_window_is_named():
    with pytest.raises(MediaError, match=r"session_3: 2\.00 s long, shorter than a window of 4 s"):
        pool(frames(np.ones((10, 1))), BOTH, Grid(window=4.0, hop=0.2), "session_3")


def test_frames_of_a_window_lie_on_average_at_its_label_time():
    """A ramp in time, pooled, must give the label times back: no window leans to one side."""
    times = np.arange(200)[:, None] * 0.4
    rows = pool(frames(times, rate_hz=2.5), BOTH, Grid(window=4.0, hop=0.2))
    inside = slice(10, -12)
    np.testing.assert_allclose(rows.values[inside, 0], (np.arange(len(rows)) * 0.2)[inside], atol=1e-4)


def test_windows_that_only_look_back_know_nothing_of_later_frames():
    grid = Grid(window=2.0, hop=0.2, alignment="end")
    random = np.random.default_rng(5)
    values = random.normal(size=(150, 3))
    whole = pool(frames(values, rate_hz=25.0), BOTH, grid)
    times = np.arange(150) / 25.0
    for k in range(10, len(whole)):
        inside = values[(times >= k * 0.2 - 2.0 - 1e-6) & (times <= min(k * 0.2, 6.0) + 1e-6)]
        np.testing.assert_allclose(whole.values[k, :3], inside.mean(axis=0), atol=1e-5)
        np.testing.assert_allclose(whole.values[k, 3:], inside.std(axis=0), atol=1e-5)
    # the future changes nothing
    changed = np.concatenate([values[:101], values[101:] + 9])
    assert np.allclose(
        pool(frames(changed, rate_hz=25.0), BOTH, grid).values[:21], whole.values[:21], atol=1e-5
    )
    assert not np.allclose(
        pool(frames(changed, rate_hz=25.0), BOTH, grid).values[21], whole.values[21], atol=1e-5
    )
