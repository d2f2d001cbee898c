"""Probabilities of labels on dev -> above which of them a class is predicted, of which there may be several.

Chosen is the threshold with the highest weighted accuracy on dev, of equal ones the nearest to .5. The scores
of dev are then too good; those of test are not touched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_curve

from pipeline.corpora.label_sets import matrix_of
from pipeline.learning.prediction_file import THRESHOLD

FEWEST = 5
"""Recordings of dev with a class, and without it, at least; else its threshold stays as it is."""


SMALLEST = 1e-6
"""Thresholds are at least so far from 0 and 1."""


def fit_thresholds(scores: NDArray[np.floating], gold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the threshold of each class, (classes,).

    scores: of dev, (recordings, classes). gold: codes of sets, (recordings,), NaN where there is none.
    """
    known = np.isfinite(gold)
    present = matrix_of(gold[known], scores.shape[1])
    columns = np.asarray(scores, np.float64)[known].T
    return np.array([_of_class(own, values) for own, values in zip(present.T, columns, strict=True)])


def _of_class(present: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    if min(present.sum(), (~present).sum()) < FEWEST:
        return THRESHOLD
    false, hits, highest = roc_curve(present, scores, drop_intermediate=False)
    # from above the largest score downwards, each halfway to the next lower one
    lower = np.append(highest[1:], 0.0)
    upper = np.append(1.0, highest[1:])
    accuracy, places = (hits + 1 - false) / 2, (upper + lower) / 2
    best = np.flatnonzero(accuracy >= accuracy.max() - 1e-12)
    chosen = places[best[np.abs(places[best] - THRESHOLD).argmin()]]
    return float(np.clip(chosen, SMALLEST, 1 - SMALLEST))
