"""Means by sums against PyTorch's adaptive pooling."""

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from pipeline.features.faces.area_scaling import SummedPicture


def theirs(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    return interpolate(pixels, size=(height, width), mode="area")[0].permute(1, 2, 0).numpy()


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize("size", [(7, 9), (1, 1), (31, 47), (50, 33), (90, 20)])
def test_pictures_smaller_larger_and_stretched(size):
    own = picture(31, 47)
    np.testing.assert_allclose(SummedPicture(own).scaled(*size), theirs(own, *size), rtol=1e-6)


def test_squares_of_all_sizes():
    own = picture(60, 80)
    left, top = np.array([0, 5, 79, 30]), np.array([0, 59, 10, 2])
    right, bottom = np.array([80, 29, 80, 41]), np.array([60, 60, 34, 60])
    found = SummedPicture(own).squares(left, top, right, bottom, 24)
    assert found.dtype == np.float32
    for i, square in enumerate(found):
        cut = own[top[i] : bottom[i], left[i] : right[i]]
        np.testing.assert_allclose(square, theirs(cut, 24, 24), rtol=1e-6)
    assert SummedPicture(own).squares(*np.empty((4, 0), np.int64), 24).shape == (0, 24, 24, 3)


def test_a_picture_so_large_that_its_sum_passes_int32():
    own = np.full((3000, 3000, 3), 250, np.uint8)
    own[2000:, 2000:] = 255
    found = SummedPicture(own).scaled(6, 6)
    assert (found[-1, -1] == 255).all()
    assert (found[0] == 250).all()
    assert (SummedPicture(own).squares(*np.array([[2900], [2900], [3000], [3000]]), 24) == 255).all()
