"""Continuous labels -> classes for the triplet loss.

Thresholds are fitted on the shifted labels of train and applied to all partitions: class c of a
label is the number of thresholds that it reaches.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rule = Literal["median", "sign", "tertiles"]


def fit_thresholds(labels: NDArray[np.float64], rule: Rule | tuple[float, ...]) -> tuple[float, ...]:
    """Return the thresholds between the classes, rising.

    Args:
        labels: of train, (frames,), all recordings in one; NaN where there is none.
        rule: `median`, `sign` (threshold 0), `tertiles`, or thresholds.

    Raises:
        ValueError: no labels to fit on, thresholds that do not rise, or an unknown rule.
    """
    if isinstance(rule, tuple):
        if not rule or any(after <= before for before, after in pairwise(rule)):
            raise ValueError(f"found the thresholds {list(rule)}, expected one or more, rising")
        return tuple(float(threshold) for threshold in rule)
    if rule == "sign":
        return (0.0,)
    if rule not in ("median", "tertiles"):
        raise ValueError(f"found '{rule}', expected median, sign, tertiles or a list of thresholds")
    labels = labels[np.isfinite(labels)]
    if len(labels) == 0:
        raise ValueError(f"no labels in train, expected some to fit {rule} on; sign and thresholds need none")
    shares = [0.5] if rule == "median" else [1 / 3, 2 / 3]
    return tuple(float(threshold) for threshold in np.quantile(labels, shares))


def classes_of(labels: NDArray[np.float64], thresholds: tuple[float, ...]) -> NDArray[np.int64]:
    """Return the class of each label, 0 to len(thresholds), (frames,).

    Args:
        labels: (frames,).
        thresholds: rising; a label on a threshold belongs to the class above it.
    """
    return np.searchsorted(np.asarray(thresholds), labels, side="right").astype(np.int64)
