"""Prediction and gold standard -> six sums, from which the CCC of any union of recordings follows.

The sums of recordings add up, so a jackknife over recordings and a grid search over affine steps
need one pass over the frames and then only arithmetic on six numbers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pipeline.scoring.metrics import scored


def moments(prediction: ArrayLike, gold: ArrayLike) -> NDArray[np.float64]:
    """Return n, sum p, sum g, sum p^2, sum g^2, sum p g, (6,); rows without gold standard left out.

    Subtract one constant from both beforehand if their means are large against their deviations.

    Raises:
        ValueError: see `pipeline.scoring.metrics.scored`.
    """
    p, g = scored(prediction, gold)
    return np.array([p.size, p.sum(), g.sum(), p @ p, g @ g, p @ g])


def ccc_of_moments(
    sums: NDArray[np.float64], gain: ArrayLike = 1.0, offset: ArrayLike = 0.0
) -> NDArray[np.float64]:
    """Return the CCC of `gain * prediction + offset` against the gold standard.

    sums: (..., 6) as from `moments`. gain, offset: broadcast against (...). NaN where undefined, as in
    `pipeline.scoring.metrics.ccc`; a variance below rounding counts as constant.
    """
    n, p, g, pp, gg, pg = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    a, b = np.asarray(gain, np.float64), np.asarray(offset, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_p, mean_g = p / n, g / n
        variance_p = np.maximum(pp / n - mean_p**2, 0.0)
        variance_g = np.maximum(gg / n - mean_g**2, 0.0)
        covariance = pg / n - mean_p * mean_g
        denominator = a**2 * variance_p + variance_g + (a * mean_p + b - mean_g) ** 2
        value = 2 * a * covariance / denominator
    return np.where((n >= 2) & (denominator > 0), value, np.nan)


def moved(sums: NDArray[np.float64], gain: float, offset: float, gold: float) -> NDArray[np.float64]:
    """Return the sums of `gain * prediction + offset` and of the gold standard + `gold`; sums: (..., 6)."""
    n, p, g, pp, gg, pg = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    parts = (
        n,
        gain * p + offset * n,
        g + gold * n,
        gain**2 * pp + 2 * gain * offset * p + offset**2 * n,
        gg + 2 * gold * g + gold**2 * n,
        gain * pg + gain * gold * p + offset * g + offset * gold * n,
    )
    return np.stack(parts, axis=-1)
