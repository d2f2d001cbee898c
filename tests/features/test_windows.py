import numpy as np
import pytest

from pipeline.features.grid import label_times, seconds_to_frames, windows, windows_or_whole
from pipeline.params import Grid


def test_five_minutes_at_25_hz_have_as_many_label_times_as_recola():
    times = label_times(300.0, 0.04)
    assert len(times) == 7501
    assert times[-1] == pytest.approx(300.0)


@pytest.mark.parametrize("duration", [299.985, 300.0, 300.015])
def test_a_container_off_by_milliseconds_keeps_the_number_of_label_times(duration):
    assert len(label_times(duration, 0.04)) == 7501


def test_windows_by_hand():
    start, end = windows(6.0, 4.0, 1.0)
    # centred on 0..6; the first two and the last two are moved inside
    np.testing.assert_allclose(start, [0, 0, 0, 1, 2, 2, 2])
    np.testing.assert_allclose(end, [4, 4, 4, 5, 6, 6, 6])


def test_all_windows_are_full_and_inside():
    start, end = windows(10.3, 4.0, 0.2)
    np.testing.assert_allclose(end - start, 4.0)
    assert start.min() == 0
    assert end.max() <= 10.3 + 1e-9


@pytest.mark.parametrize("duration", [4.0, 4.09, 6.0, 10.3])
def test_windows_that_end_at_their_label_time_by_a_naive_loop(duration):
    grid = Grid(window=3.0, hop=0.2, alignment="end")
    start, end = windows_or_whole(duration, grid)
    for k, time in enumerate(label_times(duration, 0.2)):
        # the recording may end up to half a hop before its last label time
        last = min(max(3.0, time), duration)
        assert (start[k], end[k]) == pytest.approx((last - 3.0, last))
        if time >= 3.0:
            assert end[k] <= time + 1e-9, "looks ahead"


def test_a_window_that_ends_at_label_times_need_not_have_them_in_its_middle():
    assert Grid(window=3.0, hop=0.2, alignment="end").window == 3.0
    with pytest.raises(ValueError, match=r"half a window \(1.5 s\) must be .* is the centre of a window"):
        Grid(window=3.0, hop=0.2)
    with pytest.raises(ValueError, match=r"a window \(3.1 s\) must be .* is the end of a window"):
        Grid(window=3.1, hop=0.2, alignment="end")
    with pytest.raises(ValueError, match="alignment: found end, expected centre: utterances"):
        Grid(window=None, hop=None, alignment="end")


def test_units_made_before_there_was_an_alignment_stay_valid():
    assert Grid(window=4.0, hop=0.2).fingerprint() == {"window": 4.0, "hop": 0.2}
    assert Grid(window=4.0, hop=0.2, alignment="end").fingerprint()["alignment"] == "end"


def test_a_recording_shorter_than_a_window_is_refused_with_its_length():
    with pytest.raises(ValueError, match=r"3\.90 s long, shorter than a window of 4 s"):
        windows(3.9, 4.0, 0.2)


def test_delay_of_recola_is_sixty_frames():
    assert seconds_to_frames(2.4, 0.04) == 60
