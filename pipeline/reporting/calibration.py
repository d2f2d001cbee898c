"""Class scores -> how often a prediction is right at the confidence it has: reliability and its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 10
"""Of equal width, as in most papers."""


class Reliability(NamedTuple):
    """Calibration of the predicted class (Guo et al., 2017).

    confidence, accuracy, share: of each bin that holds predictions: mean score of the predicted class, share
    of right predictions, share of all predictions. error: expected calibration error, the mean over
    predictions of the gap between both.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    share: NDArray[np.float64]
    error: float


def reliability(scores: NDArray[np.float64], gold: NDArray[np.int64]) -> Reliability:
    """Return the calibration of class scores, (rows, classes), against true codes, (rows,).

    Raises:
        ValueError: there is no row, or rows of scores do not add up to 1.
    """
    if not len(scores):
        raise ValueError("there are no predictions")
    if scores.min() < 0 or np.abs(scores.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("class scores of a row do not add up to 1, so they are no probabilities")
    top = scores.max(axis=1)
    right = scores.argmax(axis=1) == gold
    place = np.minimum((top * BINS).astype(int), BINS - 1)
    held = [place == number for number in range(BINS) if (place == number).any()]
    confidence = np.array([top[here].mean() for here in held])
    accuracy = np.array([right[here].mean() for here in held])
    share = np.array([here.mean() for here in held])
    return Reliability(confidence, accuracy, share, float((share * np.abs(accuracy - confidence)).sum()))
