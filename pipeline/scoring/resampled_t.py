"""A difference per fold of a cross-validation -> the corrected resampled t-test (Nadeau and Bengio, 2003).

Training sets of folds overlap, so differences of folds are not independent and their spread alone makes too
small a standard error. The correction adds what test and training sets share: DOI 10.1023/A:1024068626366,
eq. 9. It asks whether another draw of training AND test speakers would show the difference; the pooled
interval of `pipeline.scoring.intervals` is about other test speakers and seeds for training sets such as
these.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr


class ResampledT(NamedTuple):
    """Mean difference over `n` folds and its two-sided p; NaN with fewer than two folds."""

    difference: float
    n: int
    p: float


def corrected_resampled_t(differences: ArrayLike, test_share: float) -> ResampledT:
    """Test whether the mean difference over folds is 0; differences: (folds,), those that are NaN left out.

    `t = mean / sqrt((1 / n + test_share) var)`, n - 1 degrees of freedom. test_share: units of test per unit
    of train, mean over folds.
    """
    known = np.asarray(differences, np.float64)
    known = known[~np.isnan(known)]
    n = len(known)
    if n < 2:
        return ResampledT(float(known.mean()) if n else float("nan"), n, float("nan"))
    error = np.sqrt((1 / n + test_share) * known.var(ddof=1))
    mean = float(known.mean())
    if error == 0:
        return ResampledT(mean, n, 1.0 if mean == 0 else float("nan"))
    return ResampledT(mean, n, float(2 * stdtr(n - 1, -abs(mean) / error)))
