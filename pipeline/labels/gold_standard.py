"""Traces of several raters -> one gold standard.

Each rater counts by how well they agree with the others: the weight is the mean concordance
correlation coefficient (CCC) with every other rater, and the gold standard is the weighted mean of
the ratings. A rater who agrees negatively, or not at all (a constant trace), gets the weight 0;
where nobody agrees with anybody all count the same, since nothing tells them apart. Source: EmoBed,
section IV-A, after Grimm and Kroschel, doi 10.1109/ASRU.2005.1566530.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ccc_matrix(ratings: Array) -> Array:
    """Return the CCC of each pair of raters.

    Population moments (divided by N): 2 cov(x, y) / (var(x) + var(y) + (mean(x) - mean(y))^2), Lin
    1989, doi 10.2307/2532051. Two equal constant traces, for which it is not defined, give 0.

    Args:
        ratings: (raters, frames).

    Returns:
        Symmetric, (raters, raters).
    """
    mean = ratings.mean(axis=1)
    centred = ratings - mean[:, None]
    covariance = centred @ centred.T / ratings.shape[1]
    variance = np.diag(covariance)
    denominator = variance[:, None] + variance[None, :] + (mean[:, None] - mean[None, :]) ** 2
    return np.divide(2 * covariance, denominator, out=np.zeros_like(covariance), where=denominator > 0)


def rater_weights(ratings: Array) -> Array:
    """Return the weight of each rater, (raters,), summing to 1.

    Args:
        ratings: (raters, frames).
    """
    raters = len(ratings)
    if raters == 1:
        return np.ones(1)
    matrix = ccc_matrix(ratings)
    agreement = (matrix.sum(axis=1) - np.diag(matrix)) / (raters - 1)
    weights = np.maximum(agreement, 0.0)
    total = weights.sum()
    return weights / total if total > 0 else np.full(raters, 1 / raters)


def fuse(ratings: Array) -> tuple[Array, Array]:
    """Return the gold standard, (frames,), and the weights of the raters, (raters,).

    Args:
        ratings: (raters, frames), on one time axis.

    Raises:
        ValueError: no rater, no frame, or a rating that is no finite number.
    """
    if ratings.ndim != 2 or 0 in ratings.shape or not np.isfinite(ratings).all():
        raise ValueError(f"found ratings of shape {ratings.shape}, expected finite numbers (raters, frames)")
    weights = rater_weights(ratings)
    return weights @ ratings, weights
