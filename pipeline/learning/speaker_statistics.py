"""Recordings of one speaker -> count, mean and deviation of each feature: all that enrolment needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.store.same_values import SameValues

PRIOR = 2.0
"""Recordings that what is known of train counts for, beside a speaker's own."""


class Values(NamedTuple):
    """Raw features of one recording: values (frames, features), valid (frames,)."""

    values: NDArray[np.floating[Any]]
    valid: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class SpeakerStatistics(SameValues):
    """What is known of one speaker's features, (features,) each; no row of any recording.

    recordings: with a finite value of the feature in a valid row. rows: such values. mean, deviation
    (divided by `rows`): of them; 0 without any.
    """

    recordings: NDArray[np.int64]
    rows: NDArray[np.int64]
    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, items: Sequence[Values], features: int) -> Self:
        """Measure recordings; rows that are not valid and values that are not finite take no part.

        Raises:
            ValueError: a recording has another number of features.
        """
        for item in items:
            if item.values.ndim != 2 or item.values.shape[1] != features:
                raise ValueError(
                    f"features have the shape {item.values.shape}, expected (frames, {features})"
                )
        known = [item.values[item.valid].astype(np.float64) for item in items]
        rows = np.concatenate([np.zeros((0, features)), *known])
        finite = np.isfinite(rows)
        count = finite.sum(axis=0)
        most = np.maximum(count, 1)
        mean = np.where(finite, rows, 0.0).sum(axis=0) / most
        squares = np.where(finite, rows - mean, 0.0) ** 2
        recordings = np.zeros(features, np.int64)
        for own in known:
            recordings += np.isfinite(own).any(axis=0)
        return cls(recordings, count, mean, np.sqrt(squares.sum(axis=0) / most))

    @classmethod
    def merged(cls, parts: Sequence[SpeakerStatistics], features: int) -> Self:
        """Return the statistics of all recordings of several parts, which share none.

        Chan, Golub and LeVeque's update of means and sums of squares: nothing cancels.
        """
        shape = (0, features)
        recordings, rows, mean, deviation = (
            np.array([getattr(part, name) for part in parts]).reshape(len(parts), features)
            if parts
            else np.zeros(shape)
            for name in ("recordings", "rows", "mean", "deviation")
        )
        count = rows.sum(axis=0)
        most = np.maximum(count, 1)
        whole = (rows * mean).sum(axis=0) / most
        variance = (rows * (deviation**2 + (mean - whole) ** 2)).sum(axis=0) / most
        return cls(recordings.sum(axis=0).astype(np.int64), count.astype(np.int64), whole, np.sqrt(variance))

    @property
    def own_share(self) -> NDArray[np.float64]:
        """Return how much a speaker's own statistics count, n / (n + 2) for n recordings, (features,)."""
        return self.recordings / (self.recordings + PRIOR)

    def __len__(self) -> int:
        """Return the number of features."""
        return len(self.mean)
