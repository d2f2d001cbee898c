"""Scaled features of train -> where most of them lie, and how much of a recording lies beyond.

Each feature has its 1st and 99th percentile over the valid rows of train; 2 % of train's own values are
beyond. The share of a recording's values that are says how far it is from what the networks learnt from:
another microphone, another light, another language. It says nothing of whether a prediction is right.

Features are taken as the networks see them, after scaling: scaling is monotone in each feature, so the share
is that of the features as extracted, but for what it takes off each speaker (`scaling.speaker`), which is the
speaker's and no other domain. A feature that is constant in train is 0 after scaling and never beyond; a
value that is no number is the mean of train, and not beyond either. Where scaled values are limited
(`scaling.clip`) the share stays what it is as long as a feature's percentiles lie within the limits, which of
a z-score fitted on train they do from 10 standard deviations on (Chebyshev's inequality); a feature whose
percentile is the limit has nothing beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PERCENTILES = (1.0, 99.0)
ROUNDING = 1e-5
"""Of a scaled feature, whose deviation is about 1: another processor gives other last digits."""
ALARMS = 0.05
"""Share of recordings like those of dev that may be called out of domain, where dev has enough of them."""
Scaled = NDArray[np.floating]


class Limits(NamedTuple):
    """Percentiles of each feature, (features,)."""

    lower: NDArray[np.float32]
    upper: NDArray[np.float32]


class Reference(NamedTuple):
    """What recordings of dev are like.

    shares: of values beyond the limits, one per recording, ascending. limit: a recording with a larger share
    is called out of domain. alarms: the probability that one more recording like these would be.
    """

    shares: tuple[float, ...]
    limit: float
    alarms: float


def limits_of(train: Iterable[tuple[Scaled, NDArray[np.bool_]]]) -> Limits:
    """Return the percentiles over valid rows of train.

    train: of each recording scaled features, (frames, features), and which frames are valid.

    Raises:
        ValueError: there is no valid row.
    """
    rows = [values[valid] for values, valid in train]
    if not any(map(len, rows)):
        raise ValueError("no valid row of features in train; expected some to know their usual values from")
    lower, upper = np.percentile(np.concatenate(rows), PERCENTILES, axis=0)
    return Limits(lower.astype(np.float32), upper.astype(np.float32))


def share_beyond(values: Scaled, valid: NDArray[np.bool_], limits: Limits) -> float:
    """Return the share of the values of valid frames beyond the limits; NaN without a valid frame.

    values: scaled, (frames, features).
    """
    rows = values[valid].astype(np.float64)
    if not rows.size:
        return float("nan")
    return float(((rows < limits.lower - ROUNDING) | (rows > limits.upper + ROUNDING)).mean())


def reference_of(shares: Sequence[float]) -> Reference:
    """Return what is usual, from the shares of dev's recordings; NaN ones are left out.

    Of n recordings and one more that is like them, each of the n + 1 is as likely the one with the largest
    share. So a limit at the k-th smallest is passed with a probability of at most 1 - k / (n + 1): 5 % from
    19 recordings on, and 1 / (n + 1) with the largest of fewer. Without any, nothing is called out of domain.
    """
    known = tuple(sorted(float(share) for share in shares if not np.isnan(share)))
    count = len(known)
    if not count:
        return Reference((), float("inf"), 0.0)
    place = min(count, int(np.ceil((1 - ALARMS) * (count + 1) - 1e-9)))
    return Reference(known, known[place - 1], 1 - place / (count + 1))
