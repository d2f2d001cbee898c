"""A score per speaker of two systems -> is one better for more of them than chance: the sign-flip test.

If two systems did not differ, each speaker's difference might as well have the other sign. The test flips
signs at random, all 2^n ways where there are few enough, and asks how often the mean difference is as far
from 0 as the one seen (Fisher's randomisation test for pairs; `scipy.stats.permutation_test`). It weighs
speakers alike, however much they speak, and asks nothing of the distribution; ties count as no difference.

Scores are means over the seeds at hand, which the test takes as given: where seeds differ more than
speakers, it calls the luck of these runs a difference. Hence it stands beside the interval and decides
nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import permutation_test

RESAMPLES = 9999
"""Flips drawn; all of them, so an exact p, for up to 13 speakers."""


class Signs(NamedTuple):
    """Mean difference over `n` units and its two-sided p; NaN with fewer than two units."""

    difference: float
    n: int
    p: float


def sign_flip(system: ArrayLike, reference: ArrayLike, seed: int) -> Signs:
    """Compare two systems by their scores of the same units, (units,) each.

    Units where either score is NaN (undefined: a constant trace, nothing scored) are left out.
    """
    differences = np.asarray(system, np.float64) - np.asarray(reference, np.float64)
    differences = differences[~np.isnan(differences)]
    n = len(differences)
    if n < 2:
        return Signs(float(differences.mean()) if n else float("nan"), n, float("nan"))
    found = permutation_test(
        (differences,), _mean, permutation_type="samples", n_resamples=RESAMPLES, vectorized=True,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return Signs(float(differences.mean()), n, float(found.pvalue))


def smallest_p(units: int) -> float:
    """Return the smallest two-sided p that `units` independent units can give: all agree in sign."""
    return float(2.0 ** (1 - units))


def _mean(values: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    # rounded, so that ways which give the same mean count as equal whatever their order of summing
    return np.asarray(np.round(values.mean(axis=axis), 12))
