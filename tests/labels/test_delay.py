from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.labels.delay import shift
from pipeline.learning.dev_scores import shift_back


def test_shift_moves_labels_forward_and_holds_the_end():
    np.testing.assert_array_equal(shift(np.array([0.0, 1, 2, 3, 4]), 2), [2, 3, 4, 4, 4])


def test_shift_by_zero_is_identity():
    trace = np.random.default_rng(0).normal(size=17)
    np.testing.assert_array_equal(shift(trace, 0), trace)


@pytest.mark.parametrize("frames", [0, 1, 5, 39, 40, 60])
def test_what_predictions_are_moved_back_by_undoes_it_but_for_the_start(frames):
    trace = np.random.default_rng(frames).normal(size=40)
    again = shift_back(torch.from_numpy(shift(trace, frames)).view(1, 1, 40, 1), frames).flatten().numpy()
    assert len(again) == 40
    np.testing.assert_array_equal(again[frames:], trace[frames:])
    # What the shift dropped is the first value that it kept.
    np.testing.assert_array_equal(again[:frames], trace[min(frames, 39)])


def test_a_constant_stays_constant_and_empty_stays_empty():
    np.testing.assert_array_equal(shift(np.full(9, 0.3), 4), np.full(9, 0.3))
    assert shift(np.zeros(0), 3).shape == (0,)


def test_columns_are_shifted_together():
    trace = np.random.default_rng(0).normal(size=(20, 3))
    for column in range(3):
        np.testing.assert_array_equal(shift(trace, 6)[:, column], shift(trace[:, column], 6))


def test_negative_delay_is_refused():
    with pytest.raises(ValueError, match="delay of -1 frames"):
        shift(np.zeros(3), -1)
