from __future__ import annotations

import numpy as np
import pytest

from pipeline.labels.delay import shift, shift_back


def test_shift_moves_labels_forward_and_holds_the_end():
    np.testing.assert_array_equal(shift(np.array([0.0, 1, 2, 3, 4]), 2), [2, 3, 4, 4, 4])


def test_shift_back_moves_predictions_back_and_holds_the_start():
    np.testing.assert_array_equal(shift_back(np.array([0.0, 1, 2, 3, 4]), 2), [0, 0, 0, 1, 2])


@pytest.mark.parametrize("move", [shift, shift_back])
def test_shift_by_zero_is_identity(move):
    trace = np.random.default_rng(0).normal(size=17)
    np.testing.assert_array_equal(move(trace, 0), trace)


@pytest.mark.parametrize("frames", [0, 1, 5, 39, 40, 60])
def test_shift_back_undoes_shift_but_for_the_start(frames):
    trace = np.random.default_rng(frames).normal(size=40)
    again = shift_back(shift(trace, frames), frames)
    assert len(again) == 40
    np.testing.assert_array_equal(again[frames:], trace[frames:])
    # What the shift dropped is the first value that it kept.
    np.testing.assert_array_equal(again[:frames], trace[min(frames, 39)])


@pytest.mark.parametrize("move", [shift, shift_back])
def test_a_constant_stays_constant_and_empty_stays_empty(move):
    np.testing.assert_array_equal(move(np.full(9, 0.3), 4), np.full(9, 0.3))
    assert move(np.zeros(0), 3).shape == (0,)


@pytest.mark.parametrize("move", [shift, shift_back])
def test_columns_are_shifted_together(move):
    trace = np.random.default_rng(0).normal(size=(20, 3))
    for column in range(3):
        np.testing.assert_array_equal(move(trace, 6)[:, column], move(trace[:, column], 6))


@pytest.mark.parametrize("move", [shift, shift_back])
def test_negative_delay_is_refused(move):
    with pytest.raises(ValueError, match="delay of -1 frames"):
        move(np.zeros(3), -1)
