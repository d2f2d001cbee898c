"""Mean and standard deviation of vectors over windows, at a cost that does not grow with their overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def members(
    times: NDArray[np.float64], start: NDArray[np.float64], end: NDArray[np.float64]
) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """Return which vectors lie in each window, as first and stop (one past the last), (windows,) each.

    Both ends belong to a window: with one left out, the vectors of a window centred on a label time
    would lie half a step before it on average. A window without any takes the last one before it.

    times: of the vectors, ascending, seconds. start, end: of the windows, seconds.
    """
    first = np.searchsorted(times, start - 1e-6, side="left")
    stop = np.searchsorted(times, end + 1e-6, side="right")
    first = np.where(stop > first, first, np.maximum(stop, 1) - 1)
    return first, np.maximum(stop, first + 1)


def moments(
    values: NDArray[np.float32], first: NDArray[np.int_], stop: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and population standard deviation of values[first:stop], (windows, features) each.

    Running sums make the cost independent of how windows overlap; the recording's mean is taken out
    first, so that the difference of two sums of squares keeps its digits.

    values: (vectors, features). first, stop: as from `members`.
    """
    centre = values.mean(axis=0, dtype=np.float64)
    centred = values.astype(np.float64) - centre
    zero = np.zeros((1, values.shape[1]))
    sums = np.concatenate([zero, np.cumsum(centred, axis=0)])
    squares = np.concatenate([zero, np.cumsum(centred**2, axis=0)])
    count = (stop - first)[:, None]
    mean = (sums[stop] - sums[first]) / count
    variance = (squares[stop] - squares[first]) / count - mean**2
    # what running sums leave of a constant is rounding, not spread
    noise = 1e-12 * (squares[-1] / max(1, len(values)) + 1e-30)
    return mean + centre, np.sqrt(np.where(variance > noise, variance, 0.0))


def finite_moments(
    values: NDArray[np.float32], first: NDArray[np.int_], stop: NDArray[np.int_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the moments of the finite values alone, NaN where a window has none of a feature.

    Otherwise as `moments`, and the same numbers where all values are finite.
    """
    finite = np.isfinite(values)
    if finite.all():
        return moments(values, first, stop)
    # a value taken for the mean of its feature adds nothing to sums of centred values
    known = np.where(finite, values, np.float32(0)).astype(np.float64)
    centre = known.sum(axis=0) / np.maximum(finite.sum(axis=0), 1)
    centred = np.where(finite, known - centre, 0.0)
    zero = np.zeros((1, values.shape[1]))
    sums, squares, counts = (
        np.concatenate([zero, np.cumsum(each, axis=0)]) for each in (centred, centred**2, finite)
    )
    count = counts[stop] - counts[first]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (sums[stop] - sums[first]) / count
        variance = (squares[stop] - squares[first]) / count - mean**2
    noise = 1e-12 * (squares[-1] / np.maximum(counts[-1], 1) + 1e-30)
    return mean + centre, np.sqrt(np.where(variance <= noise, 0.0, variance))
