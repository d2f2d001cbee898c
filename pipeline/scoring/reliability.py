"""Class scores -> how often a prediction is right at the confidence it has: reliability and its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

BINS = 10
"""Of equal width, as in most papers."""


Sums = NDArray[np.float64]
"""(units, bins, 3): of each unit and bin how many predictions, how many right, sum of their confidences."""


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
    return reliability_of(reliability_sums(scores, gold, np.zeros(len(gold), int))[0])


def reliability_of(sums: NDArray[np.float64]) -> Reliability:
    """Return the calibration that sums over bins say, (bins, 3), see `Sums`."""
    count, right, confidence = sums[sums[:, 0] > 0].T
    return Reliability(
        confidence / count, right / count, count / count.sum(), float(calibration_error(sums[None])[0])
    )


def reliability_sums(scores: NDArray[np.float64], gold: NDArray[np.int64], units: NDArray[np.int_]) -> Sums:
    """Return what the calibration of any union of units follows from; units: place of each row's unit.

    Raises:
        ValueError: there is no row, or rows of scores do not add up to 1.
    """
    if not len(scores):
        raise ValueError("there are no predictions")
    if scores.min() < 0 or np.abs(scores.sum(axis=1) - 1).max() > 1e-3:
        raise ValueError("class scores of a row do not add up to 1, so they are no probabilities")
    return probability_sums(scores.max(axis=1), scores.argmax(axis=1) == gold, units)


def probability_sums(
    probability: NDArray[np.float64], right: NDArray[np.bool_], units: NDArray[np.int_]
) -> Sums:
    """Return the sums of events with a probability each, and whether they are so; all (rows,), see `Sums`."""
    place = np.minimum((probability * BINS).astype(int), BINS - 1)
    sums = np.zeros((units.max() + 1, BINS, 3))
    np.add.at(sums, (units, place), np.stack((np.ones(len(probability)), right, probability), axis=1))
    return sums


def calibration_error(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the expected calibration error, (...); sums: (..., bins, 3), see `Sums`. NaN without rows."""
    count = sums[..., 0].sum(-1)
    gaps = np.abs(sums[..., 1] - sums[..., 2]).sum(-1)
    return np.divide(gaps, count, out=np.full(gaps.shape, np.nan), where=count > 0)


def debiased_error(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the calibration error less what chance adds to it, (...); sums: (..., bins, 3), see `Sums`.

    Chance makes a gap in every bin. By how much it does is estimated from the bins themselves, as a normal
    number about the gap that was found, with the variance of a share of so many independent predictions
    (Kumar, Liang, Ma, Verified uncertainty calibration, 2019, section 5). Below 0 where chance alone would
    make more of it. Of poor calibration with 84 predictions it is off by .00 in simulation; of perfect
    calibration two thirds of what chance makes remain (`error_by_chance` takes all of it off, and of poor
    calibration three times too much).
    """
    count = sums[..., 0]
    some = np.maximum(count, 1)
    right, gap = sums[..., 1] / some, (sums[..., 1] - sums[..., 2]) / some
    deviation = np.sqrt(right * (1 - right) / some)
    far = np.divide(gap, deviation, out=np.zeros_like(gap), where=deviation > 0)
    moved = deviation * np.sqrt(2 / np.pi) * np.exp(-(far**2) / 2) + gap * (1 - 2 * ndtr(-far))
    expected = np.where(deviation > 0, moved, np.abs(gap))  # of |a normal number about the gap|
    total = count.sum(-1)
    by_bin = (count * expected).sum(-1)
    again = np.divide(by_bin, total, out=np.full(by_bin.shape, np.nan), where=total > 0)
    return 2 * calibration_error(sums) - again


def error_by_chance(confidence: NDArray[np.float64], draws: int, seed: int) -> float:
    """Return the error that is to be expected of so many predictions even if they are perfectly calibrated.

    With few predictions in a bin, the share of right ones is off their mean confidence by chance alone. Mean
    over drawn outcomes, each right with the probability that its confidence says, each independent (Broecker
    and Smith, 2007). confidence: of the predicted class, (rows,).
    """
    right = np.random.default_rng(seed).random((draws, len(confidence))) < confidence
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    member = place[:, None] == np.arange(BINS)  # (rows, bins)
    return float((np.abs((right - confidence) @ member).sum(axis=1) / len(confidence)).mean())
