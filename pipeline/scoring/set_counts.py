"""Counts of right and wrong answers by class -> scores of utterances with any number of labels.

Counts are as scikit-learn's `multilabel_confusion_matrix`: by class, gold standard (absent, present) and
prediction (absent, present). Those of units add up, so every score of a union of units follows from its
counts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float64]


def wacc_by_class(counts: Counts) -> NDArray[np.float64]:
    """Return the weighted accuracy of each class, (..., classes); counts: (..., classes, 2, 2).

    `(TP N / P + TN) / (2 N)` with P present and N absent labels (Dai et al., arXiv 2009.09629), which is the
    mean of the recalls of present and absent labels. NaN without either of them.
    """
    totals = counts.sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        recalls = np.diagonal(counts, axis1=-2, axis2=-1) / totals
    return np.asarray(np.where((totals > 0).all(-1), recalls.mean(-1), np.nan))


def f1_by_class(counts: Counts) -> NDArray[np.float64]:
    """Return the F1 of the present labels of each class, (..., classes); NaN for a class that gold lacks."""
    right = counts[..., 1, 1]
    asked = counts[..., 1, :].sum(-1)
    both = asked + counts[..., :, 1].sum(-1)
    return np.where(asked > 0, np.divide(2 * right, both, out=np.zeros_like(right), where=both > 0), np.nan)


def f1_weighted_by_class(counts: Counts) -> NDArray[np.float64]:
    """Return F1 of present and of absent labels, weighted by how many there are, (..., classes).

    What the release of Dai et al. reports: high for rare labels whatever is predicted of them, since most are
    absent. NaN without rows.
    """
    present, absent = f1_by_class(counts), f1_by_class(counts[..., ::-1, ::-1])
    shares = counts.sum(-1)
    total = shares.sum(-1)
    weighted = np.nan_to_num(present) * shares[..., 1] + np.nan_to_num(absent) * shares[..., 0]
    return np.where(total > 0, np.divide(weighted, total, out=np.zeros_like(total), where=total > 0), np.nan)


def wacc(counts: Counts) -> NDArray[np.float64]:
    """Return the mean weighted accuracy of the classes with present and absent labels, (...)."""
    return mean_over_classes(wacc_by_class(counts))


def f1_binary(counts: Counts) -> NDArray[np.float64]:
    """Return the mean F1 of present labels, over the classes that gold has, (...)."""
    return mean_over_classes(f1_by_class(counts))


def hamming_accuracy(counts: Counts) -> NDArray[np.float64]:
    """Return the share of right answers over utterances and classes, (...); NaN without any."""
    total = counts.sum((-3, -2, -1))
    right = np.diagonal(counts, axis1=-2, axis2=-1).sum((-2, -1))
    return np.where(total > 0, np.divide(right, total, out=np.zeros_like(total), where=total > 0), np.nan)


def rows_of_counts(counts: Counts) -> NDArray[np.float64]:
    """Return how many utterances the counts are of, (...)."""
    return np.asarray(counts[..., 0, :, :].sum((-2, -1)))


def mean_over_classes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean over classes whose score is defined, (...) of (..., classes); NaN if none is."""
    known = np.isfinite(values)
    count = known.sum(-1)
    total = np.where(known, values, 0).sum(-1)
    return np.where(count > 0, np.divide(total, count, out=np.zeros_like(total), where=count > 0), np.nan)
