from __future__ import annotations

import numpy as np
import pytest

from pipeline.labels.resampling import resample

TIME = np.round(np.arange(7501) * 0.04, 2)


@pytest.mark.parametrize("hop", [0.04, 0.2, 0.4, 1.0])
def test_a_hop_of_whole_samples_takes_samples_as_they_are(hop):
    value = np.random.default_rng(0).normal(size=7501)
    every = round(hop / 0.04)
    np.testing.assert_array_equal(resample(TIME, value, hop), value[::every])


def test_between_samples_the_trace_is_a_line():
    np.testing.assert_allclose(
        resample(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 3.0]), 0.5), [0, 0.5, 1, 2, 3]
    )


def test_the_grid_ends_with_the_trace():
    assert len(resample(TIME, TIME, 0.7)) == 429  # 428 * 0.7 = 299.6 s, the next would be 300.3 s
    np.testing.assert_allclose(resample(TIME, TIME, 0.7), np.arange(429) * 0.7)


def test_before_the_first_sample_it_is_held():
    np.testing.assert_allclose(resample(np.array([0.5, 1.0]), np.array([2.0, 4.0]), 0.25), [2, 2, 2, 3, 4])


@pytest.mark.parametrize(
    "time", [np.zeros(0), np.array([0.0, 0.0]), np.array([1.0, 0.5]), np.array([-2.0, -1.0])]
)
def test_unusable_times_are_refused(time):
    with pytest.raises(ValueError, match="times that do not rise"):
        resample(time, np.zeros(len(time)), 0.2)


def known(time, hop=0.5, **options):
    """Return the label times that have a value; a trace that is its own time shows what was taken."""
    values = resample(np.asarray(time, float), np.asarray(time, float), hop, **options)
    grid = np.arange(len(values)) * hop
    there = np.isfinite(values)
    np.testing.assert_allclose(values[there & (grid >= time[0])], grid[there & (grid >= time[0])])
    return grid[there].tolist()


def test_a_late_start_is_no_value():
    assert known([4.0, 4.5, 5.0]) == [4.0, 4.5, 5.0]
    assert known([4.2, 4.7, 5.2]) == [4.5, 5.0]


def test_a_hole_is_no_line():
    assert known([0.0, 0.5, 5.5, 6.0]) == [0.0, 0.5, 5.5, 6.0]
    assert known([0.0, 0.2, 0.4, 0.6, 5.4, 5.6, 5.8, 6.0]) == [0.0, 0.5, 5.5, 6.0]


def test_usual_gaps_stay_lines():
    assert known([0.0, 0.5, 1.5, 2.0]) == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert known([0.0, 2.0, 4.0, 8.0]) == [k / 2 for k in range(17)]  # sparse by itself
    assert known([0.0, 0.5, 3.0, 3.5], max_gap=3.0) == [k / 2 for k in range(8)]


def test_what_lies_before_the_recording_is_dropped():
    assert known([-1.0, -0.5, 0.0, 0.5]) == [0.0, 0.5]
    np.testing.assert_allclose(resample(np.array([-0.25, 0.25]), np.array([1.0, 3.0]), 0.25), [2.0, 3.0])


def test_no_more_label_times_than_the_recording_has():
    time = np.arange(100_000) * 500.0
    assert len(resample(time, time, 0.04, most=301)) == 301
