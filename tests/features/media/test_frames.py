import gc

import av
import numpy as np
import pytest

from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError


def shown(path, rate_hz):
    """Return per tick the grey level shown."""
    levels = {}
    for frame in FramesOnGrid(path, rate_hz):
        for tick in frame.ticks:
            assert tick not in levels
            levels[tick] = float(frame.image.mean())
    assert list(levels) == list(range(len(levels)))
    return list(levels.values())


def test_each_tick_gets_the_frame_shown_then_at_a_variable_rate(write_video):
    times = [0.0, 0.1, 0.15, 0.9, 1.0, 1.4]
    levels = [20, 60, 100, 140, 180, 220]
    # ticks at 0, .25, .5, .75, 1, 1.25; the file says that its last frame is shown for a millisecond
    assert shown(write_video(levels, times), 4.0) == pytest.approx([20, 100, 100, 100, 180, 180], abs=4)


def test_against_a_naive_search_over_time_stamps(write_video):
    rng = np.random.default_rng(3)
    times = np.cumsum(np.round(rng.uniform(0.01, 0.3, 40), 3))
    times -= times[0]
    levels = rng.integers(10, 245, 40)
    got = shown(write_video(levels, times), 5.0)
    naive = [levels[np.flatnonzero(times <= tick / 5 + 1e-3)[-1]] for tick in range(int(times[-1] * 5))]
    assert got[: len(naive)] == pytest.approx(naive, abs=5)


def test_a_frame_shown_at_several_ticks_is_given_once(write_video):
    frames = list(FramesOnGrid(write_video([50, 200], [0.0, 1.0]), 10.0))
    assert [frame.ticks for frame in frames[:1]] == [range(10)]


def test_pictures_are_let_go_without_a_search_for_cycles(write_video):
    """Each keeps the threads that made it RGB: in cycles, hundreds of them until the search."""
    video = FramesOnGrid(write_video(range(10, 70), np.arange(60) / 10), 10.0)
    gc.collect()
    gc.disable()
    try:
        assert sum(len(frame.ticks) for frame in video) >= 59
        kept = [each for each in gc.get_objects() if isinstance(each, av.VideoFrame)]
    finally:
        gc.enable()
    assert len(kept) <= 2


def test_duration_is_that_of_the_pictures(clips):
    video = FramesOnGrid(clips / "talking_face.mp4", 2.5)
    ticks = [tick for frame in video for tick in frame.ticks]
    assert video.duration == pytest.approx(472 / (24000 / 1001), abs=0.05)
    assert ticks == list(range(50))


def test_sound_only_is_named(write_wav):
    with pytest.raises(MediaError, match="has no video stream"):
        list(FramesOnGrid(write_wav(np.zeros(1000), 16000), 5.0))


def test_truncated_file_is_named(write_video, tmp_path):
    blob = write_video(range(10, 200), np.arange(190) / 25).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(blob[: len(blob) // 3])
    with pytest.raises(MediaError, match=r"cut\.mp4"):
        list(FramesOnGrid(path, 5.0))
