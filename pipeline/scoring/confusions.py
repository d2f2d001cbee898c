"""Confusion counts -> scores of classes, for any union of units at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


def f1_of_confusion(counts: Counts) -> NDArray[np.float64]:
    """Return the harmonic mean of macro precision and macro recall; counts: (..., gold, predicted).

    As `pipeline.scoring.metrics.f1_macro_pr`: means over the classes that occur in the gold standard, of each
    matrix its own.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    occurs = counts.sum(-1) > 0
    classes = np.maximum(occurs.sum(-1), 1)
    recall = _share(right, counts.sum(-1)).sum(-1) / classes
    precision = (_share(right, counts.sum(-2)) * occurs).sum(-1) / classes
    f1 = _share(2 * precision * recall, precision + recall)
    return np.where(counts.sum((-2, -1)) > 0, f1, np.nan)


def uar_of_confusion(counts: Counts) -> NDArray[np.float64]:
    """Return the mean recall of the classes that occur in gold; counts: (..., gold, predicted)."""
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    classes = (counts.sum(-1) > 0).sum(-1)
    recall = _share(right, counts.sum(-1)).sum(-1) / np.maximum(classes, 1)
    return np.where(classes > 0, recall, np.nan)


def accuracy_of_confusion(counts: Counts) -> NDArray[np.float64]:
    """Return the share of right answers, NaN where there are none; counts: (..., gold, predicted)."""
    total = counts.sum((-2, -1))
    right = np.diagonal(counts, axis1=-2, axis2=-1).sum(-1)
    return np.where(total > 0, _share(right, total), np.nan)


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
