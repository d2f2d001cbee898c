"""How much boxes overlap: left, top, right, bottom, in pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def overlap_of_union(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intersection over union, (some, others), of boxes (some, 4) and (others, 4)."""
    common, area, other_area = _areas(some, others, np.float32(0))
    union = np.maximum(area + other_area - common, np.float32(1e-9))  # two boxes without area overlap in none
    return np.asarray(common / union, np.float32)


def overlap_of_smaller(some: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return intersection over the smaller box, (some, others); boxes count their last pixel."""
    common, area, other_area = _areas(some, others, np.float32(1))
    return np.asarray(common / np.minimum(area, other_area), np.float32)


def _areas(
    some: NDArray[np.float32], others: NDArray[np.float32], pixel: np.float32
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return the areas in common, (some, others), and of each, (some, 1) and (others,)."""
    low = np.maximum(some[:, None, :2], others[:, :2])
    high = np.minimum(some[:, None, 2:], others[:, 2:])
    common = np.maximum(high - low + pixel, np.float32(0)).prod(axis=2)
    area, other_area = ((each[:, 2:] - each[:, :2] + pixel).prod(axis=1) for each in (some, others))
    return common, area[:, None], other_area
