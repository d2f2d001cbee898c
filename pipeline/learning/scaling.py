"""Raw features -> scaled features, fitted on valid rows of train only.

Policies: a value that is not finite (openSMILE's NaN) becomes 0 after scaling, the train mean. A row that is
not valid takes no part in fitting; its values are used as the pooling policy filled them, but if
all of them are 0 (policy `zero`) the scaled row is 0 as well. A feature that is constant in train
becomes 0 everywhere.

With `speaker: centre` a speaker's features are first moved towards the mean of all speakers, by
n / (n + 2) of the way for n recordings of the speaker (method.md, section 2). This takes the
speaker's own recordings of any partition (enrolment), no labels.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Self

import numpy as np
import scipy.special
from numpy.typing import NDArray

from pipeline.params import ScalingMethod

Speaker = Literal["none", "centre"]
MOST_QUANTILES = 1000
CONSTANT = 1e-7
"""A feature is constant if its spread is below this share of its magnitude (float32's precision)."""

logger = logging.getLogger(__name__)


class Values(NamedTuple):
    """Raw features of one recording: values (frames, features), valid (frames,)."""

    values: NDArray[np.float32]
    valid: NDArray[np.bool_]


@dataclass(frozen=True)
class Scaler:
    """A fitted scaling.

    arrays: standard: `mean` and `factor` (1 / standard deviation, 0 for a constant feature),
    (features,); rank_gauss: `quantiles`, (levels, features); both: `centre`, the mean of train,
    (features,).
    """

    method: ScalingMethod
    speaker: Speaker
    arrays: Mapping[str, NDArray[np.float64]]

    @classmethod
    def fit(
        cls,
        train: Sequence[Values],
        method: ScalingMethod,
        speaker: Speaker = "none",
        enrolments: Sequence[Sequence[Values]] | None = None,
    ) -> Self:
        """Fit on train.

        enrolments: with `speaker: centre`, for each recording of `train` all recordings of its speaker.

        Raises:
            ValueError: train has no valid row.
        """
        centre = _mean(train)
        if centre is None:
            raise ValueError("no valid row of features in train; nothing to fit the scaling on")
        scaler = cls(method, speaker, {"centre": centre})
        rows = np.concatenate(
            [
                item.values[item.valid] - scaler.offset(enrolments[i] if enrolments else ())
                for i, item in enumerate(train)
            ]
        ).astype(np.float64)
        rows[~np.isfinite(rows)] = np.nan
        arrays = _fit_standard(rows) if method == "standard" else _fit_rank_gauss(rows)
        return cls(method, speaker, {"centre": centre} | arrays)

    def offset(self, enrolment: Sequence[Values]) -> NDArray[np.float64]:
        """Return what is taken off a speaker's raw features, (features,).

        enrolment: the speaker's own recordings; 0 without any or with `speaker: none`.
        """
        centre = self.arrays["centre"]
        own = _mean(enrolment) if self.speaker == "centre" else None
        if own is None:
            return np.zeros_like(centre)
        count = sum(item.valid.any() for item in enrolment)
        return np.nan_to_num((own - centre) * (count / (count + 2)))

    def apply(self, item: Values, enrolment: Sequence[Values] = ()) -> NDArray[np.float32]:
        """Return the scaled features of a recording, (frames, features).

        enrolment: all recordings of its speaker; only used with `speaker: centre`.

        Raises:
            ValueError: the recording has other features than train.
        """
        features = len(self.arrays["centre"])
        if item.values.ndim != 2 or item.values.shape[1] != features:
            raise ValueError(f"features have the shape {item.values.shape}, expected (frames, {features})")
        rows = item.values.astype(np.float64) - self.offset(enrolment)
        if self.method == "standard":
            scaled = (rows - self.arrays["mean"]) * self.arrays["factor"]
        else:
            scaled = _rank_gauss(rows, self.arrays["quantiles"])
        scaled[~np.isfinite(scaled)] = 0.0
        scaled[~item.valid & (item.values == 0).all(axis=1)] = 0.0
        return scaled.astype(np.float32)


class Gaps(NamedTuple):
    """What is missing in the features of a modality, for the log and the model file."""

    rows: int
    rows_not_valid: int
    values_not_finite: int


def count_gaps(items: Sequence[Values]) -> Gaps:
    """Count rows, rows that are not valid, and values that are not finite."""
    return Gaps(
        sum(len(item.valid) for item in items),
        sum(int((~item.valid).sum()) for item in items),
        sum(int((~np.isfinite(item.values)).sum()) for item in items),
    )


def _mean(items: Sequence[Values]) -> NDArray[np.float64] | None:
    """Return the mean of all finite values in valid rows, (features,); None without a valid row."""
    if not any(item.valid.any() for item in items):
        return None
    rows = np.concatenate([item.values[item.valid] for item in items]).astype(np.float64)
    finite = np.isfinite(rows)
    return np.where(finite, rows, 0.0).sum(axis=0) / np.maximum(finite.sum(axis=0), 1)


def _fit_standard(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    count = np.maximum(np.isfinite(rows).sum(axis=0), 1)
    mean = np.nansum(rows, axis=0) / count
    deviation = np.sqrt(np.nansum((rows - mean) ** 2, axis=0) / count)
    constant = deviation <= CONSTANT * np.abs(mean)
    return {"mean": mean, "factor": np.where(constant, 0.0, 1 / np.where(constant, 1.0, deviation))}


def _fit_rank_gauss(rows: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    levels = _levels(min(MOST_QUANTILES, max(2, len(rows))))
    empty = ~np.isfinite(rows).any(axis=0)
    return {"quantiles": np.nanquantile(np.where(empty, 0.0, rows), levels, axis=0, method="hazen")}


def _levels(count: int) -> NDArray[np.float64]:
    """Return `count` levels between 0 and 1 without the ends, whose normal quantile is infinite."""
    return (np.arange(count) + 0.5) / count


def _rank_gauss(rows: NDArray[np.float64], quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Map each feature to its rank in train, then to the normal quantile of that rank."""
    levels = _levels(len(quantiles))
    scaled = np.empty_like(rows)
    for i, known in enumerate(quantiles.T):
        # ties: the mean of the lowest and the highest rank, so that a constant feature becomes 0
        lowest = -np.interp(-rows[:, i], -known[::-1], -levels[::-1])
        scaled[:, i] = (np.interp(rows[:, i], known, levels) + lowest) / 2
        if known[0] == known[-1]:
            scaled[:, i] = 0.5
    return scipy.special.ndtri(scaled)
