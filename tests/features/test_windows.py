import numpy as np
import pytest

from pipeline.features.grid import label_times, seconds_to_frames, windows


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


def test_a_recording_shorter_than_a_window_is_refused_with_its_length():
    with pytest.raises(ValueError, match=r"3\.90 s long, shorter than a window of 4 s"):
        windows(3.9, 4.0, 0.2)


def test_delay_of_recola_is_sixty_frames():
    assert seconds_to_frames(2.4, 0.04) == 60
