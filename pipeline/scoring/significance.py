"""Two systems -> how sure their difference is: the paper's two tests.

Both tests take frames or utterances as independent. The frames of a trace are strongly correlated, so
Fisher's test calls almost any difference of regression systems significant; it is reported because the
paper reports it, beside the interval over units and seeds of `pipeline.scoring.intervals`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.stats import norm
from statsmodels.stats.proportion import proportions_ztest


class Test(NamedTuple):
    """A test's statistic z and p-values; one-sided: the system is better than the reference."""

    z: float
    p_one_sided: float
    p_two_sided: float


def fisher_r_to_z(system: float, reference: float, n_system: int, n_reference: int) -> Test:
    """Compare two correlations by Fisher's r-to-z transformation (paper, section 4.3).

    `z = (artanh r1 - artanh r2) / sqrt(1 / (n1 - 3) + 1 / (n2 - 3))`, for correlations from independent
    draws (Fisher 1921); the paper applies it to CCCs of the same frames. NaN if a correlation is
    undefined or fewer than four rows were scored.
    """
    if min(n_system, n_reference) < 4 or np.isnan(system) or np.isnan(reference):
        return Test(float("nan"), float("nan"), float("nan"))
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.arctanh(system) - np.arctanh(reference)
    return _normal(difference / np.sqrt(1 / (n_system - 3) + 1 / (n_reference - 3)))


def proportions_z(system: float, reference: float, n_system: int, n_reference: int) -> Test:
    """Compare two accuracies by the z-test for proportions with pooled variance (paper, section 4.3).

    system, reference: share of right utterances, which may be a mean over seeds. NaN if nothing was
    scored or all answers of both are right (or wrong).
    """
    if min(n_system, n_reference) < 1 or np.isnan(system) or np.isnan(reference):
        return Test(float("nan"), float("nan"), float("nan"))
    counts = np.array([system * n_system, reference * n_reference])
    trials = np.array([n_system, n_reference])
    if counts.sum() in (0, trials.sum()):
        return Test(float("nan"), float("nan"), float("nan"))
    z, _ = proportions_ztest(counts, trials, alternative="larger")
    return _normal(float(z))


def _normal(z: float) -> Test:
    return Test(float(z), float(norm.sf(z)), float(2 * norm.sf(abs(z))))
