"""Raw features -> scaled features, fitted on valid rows of train only.

Policies: a value that is not finite (openSMILE's NaN) becomes 0 after scaling, the train mean. A row that is
not valid takes no part in fitting; its values are used as the pooling policy filled them, but if
all of them are 0 (policy `zero`) the scaled row is 0 as well. A feature that is constant in train
becomes 0 everywhere.

A speaker's own recordings of any partition (enrolment) may take part, no labels:

- `speaker: centre` first moves a speaker's raw features towards the mean of all speakers, by w = n / (n + 2)
  of the way for n recordings of the speaker (method.md, section 2), then scales them.
- `speaker: standardise` first scales (a z-score or the normal score of a rank, as fitted on train without
  regard to speakers), u, then moves mean and deviation of the speaker's scaled features to those of train:
  z = m0 + (u - m) d0 / d with m = w m_s + (1 - w) m0 and d^2 = w d_s^2 + (1 - w) d0^2, where m_s and d_s are
  of the speaker, m0 and d0 of all rows of train. Variances are shrunk and neither deviations nor their
  logarithms: one utterance has the deviation 0, whose logarithm is none, and a speaker known from n
  recordings is then never stretched by more than ((n + 2) / 2)^(1/2). The order is this one since a feature
  far from normal has no useful deviation before its scaling.

Without recordings w is 0, and both scale as without speakers.

`clip` comes last: scaled values are limited to -clip ... clip, standard deviations of train, also those of
train. All that is fitted, and what is known of a speaker, is of values that are not limited. `rank_gauss`
never leaves the normal scores of train's lowest and highest rank, but `standardise` may stretch them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, Self

import numpy as np
import scipy.special
from numpy.typing import NDArray

from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.params import ScalingMethod
from pipeline.store.same_values import SameValues

Speaker = Literal["none", "centre", "standardise"]
Enrolled = Sequence[Values] | SpeakerStatistics
"""A speaker's recordings, or what is kept of them."""
MOST_QUANTILES = 1000
CONSTANT = 1e-7
"""A feature is constant if its spread is below this share of its magnitude (float32's precision)."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Scaler(SameValues):
    """A fitted scaling.

    arrays: standard: `mean` and `factor` (1 / standard deviation, 0 for a constant feature),
    (features,); rank_gauss: `quantiles`, (levels, features); all: `centre`, the mean of train,
    (features,); with `speaker: standardise` also `scaled_mean` and `scaled_deviation`, of train's scaled
    features, (features,). clip: beyond which no scaled value lies, standard deviations; None: any may.
    """

    method: ScalingMethod
    speaker: Speaker
    arrays: Mapping[str, NDArray[np.float64]]
    clip: float | None = None

    @classmethod
    def fit(
        cls,
        train: Sequence[Values],
        method: ScalingMethod,
        speaker: Speaker = "none",
        enrolments: Sequence[Sequence[Values]] | None = None,
        clip: float | None = None,
    ) -> Self:
        """Fit on train.

        enrolments: with `speaker: centre`, for each recording of `train` all recordings of its speaker.

        Raises:
            ValueError: train has no valid row.
        """
        if not any(item.valid.any() for item in train):
            raise ValueError("no valid row of features in train; nothing to fit the scaling on")
        features = train[0].values.shape[1]
        centre = SpeakerStatistics.of(train, features).mean
        scaler = cls(method, speaker, {"centre": centre})
        offsets = [np.zeros(features)] * len(train)
        if speaker == "centre" and enrolments:
            # a speaker's recordings are one object, of which the mean is taken once
            of_speaker = {id(own): scaler.offset(own) for own in enrolments}
            offsets = [of_speaker[id(own)] for own in enrolments]
        rows = np.concatenate(
            [item.values[item.valid] - offset for item, offset in zip(train, offsets, strict=True)]
        ).astype(np.float64)
        rows[~np.isfinite(rows)] = np.nan
        arrays = _fit_standard(rows) if method == "standard" else _fit_rank_gauss(rows)
        scaler = cls(method, speaker, {"centre": centre} | arrays, clip)
        return scaler._with_scaled(rows) if speaker == "standardise" else scaler

    def _with_scaled(self, rows: NDArray[np.float64]) -> Self:
        """Return the scaling with mean and deviation of train's scaled features."""
        scaled = Values(self._scaled(rows), np.ones(len(rows), np.bool_))
        own = SpeakerStatistics.of([scaled], rows.shape[1])
        reference = {"scaled_mean": own.mean, "scaled_deviation": own.deviation}
        return replace(self, arrays={**self.arrays, **reference})

    @property
    def features(self) -> int:
        """Return the number of features."""
        return len(self.arrays["centre"])

    def statistics(self, enrolment: Sequence[Values]) -> SpeakerStatistics:
        """Return what this scaling needs to know of a speaker's recordings.

        With `speaker: centre` that is measured on raw features, with `standardise` on scaled ones: it is of
        use to this scaling only.

        Raises:
            ValueError: a recording has other features than train.
        """
        if self.speaker == "standardise":
            for item in enrolment:
                self._require(item)
            enrolment = [Values(self._scaled(item.values), item.valid) for item in enrolment]
        return SpeakerStatistics.of(enrolment, self.features)

    def offset(self, enrolment: Enrolled) -> NDArray[np.float64]:
        """Return what is taken off a speaker's raw features, (features,).

        enrolment: the speaker's own recordings; 0 without any or unless `speaker: centre`.
        """
        if self.speaker != "centre":
            return np.zeros(self.features)
        own = self._known(enrolment)
        return np.where(own.rows > 0, (own.mean - self.arrays["centre"]) * own.own_share, 0.0)

    def step(self, enrolment: Enrolled) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return by what a speaker's scaled features are multiplied and then moved, (features,) each.

        enrolment: the speaker's own recordings; 1 and 0 without any or unless `speaker: standardise`. A
        feature that is constant in train says nothing of anybody: factor 0.
        """
        if self.speaker != "standardise":
            return np.ones(self.features), np.zeros(self.features)
        own = self._known(enrolment)
        mean, deviation, share = self.arrays["scaled_mean"], self.arrays["scaled_deviation"], own.own_share
        shrunk = share * own.mean + (1 - share) * mean
        spread = np.sqrt(share * own.deviation**2 + (1 - share) * deviation**2)
        factor = np.where(deviation > 0, deviation / np.where(spread > 0, spread, 1.0), 0.0)
        return factor, mean - shrunk * factor

    def apply(self, item: Values, enrolment: Enrolled = ()) -> NDArray[np.float32]:
        """Return the scaled features of a recording, (frames, features).

        enrolment: all recordings of its speaker that are at hand; of no effect with `speaker: none`.

        Raises:
            ValueError: the recording has other features than train.
        """
        return self.apply_counted(item, enrolment)[0]

    def apply_counted(self, item: Values, enrolment: Enrolled = ()) -> tuple[NDArray[np.float32], int]:
        """Return the scaled features of a recording, and how many of the values `clip` has limited.

        Arguments and errors: `apply`.
        """
        free = self._not_limited(item, [enrolment])
        limited = self._limited(free)
        return limited[0].astype(np.float32), int((limited != free).sum())

    def apply_each(self, item: Values, enrolments: Sequence[Enrolled]) -> NDArray[np.float32]:
        """Return the scaled features of a recording for each of several enrolments of its speaker.

        Returns (enrolments, frames, features).

        Raises:
            ValueError: the recording has other features than train.
        """
        return self._limited(self._not_limited(item, enrolments)).astype(np.float32)

    def _limited(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        return scaled if self.clip is None else np.clip(scaled, -self.clip, self.clip)

    def _not_limited(self, item: Values, enrolments: Sequence[Enrolled]) -> NDArray[np.float64]:
        """Return everything that scaling does before `clip`; arguments, result, errors: `apply_each`."""
        self._require(item)
        known = [self._known(own) if self.speaker != "none" else None for own in enrolments]
        if self.speaker == "standardise":
            unmoved = self._scaled(item.values)
            steps = [self.step(own) for own in known if own is not None]
            scaled = np.stack([unmoved * factor + shift for factor, shift in steps])
        else:
            offsets = np.array([0.0 if own is None else self.offset(own) for own in known])
            rows = item.values.astype(np.float64) - offsets.reshape(len(known), 1, -1)
            scaled = self._scaled(rows.reshape(-1, self.features)).reshape(rows.shape)
        scaled[~np.isfinite(scaled)] = 0.0
        scaled[:, ~item.valid & (item.values == 0).all(axis=1)] = 0.0
        return scaled

    def _known(self, enrolment: Enrolled) -> SpeakerStatistics:
        if not isinstance(enrolment, SpeakerStatistics):
            return self.statistics(enrolment)
        if len(enrolment) != self.features:
            raise ValueError(f"the enrolment is of {len(enrolment)} features, expected {self.features}")
        return enrolment

    def _require(self, item: Values) -> None:
        if item.values.ndim != 2 or item.values.shape[1] != self.features:
            raise ValueError(
                f"features have the shape {item.values.shape}, expected (frames, {self.features})"
            )

    def _scaled(self, rows: NDArray[np.float32] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale rows, (rows, features), without regard to the speaker; what is not finite stays so."""
        rows = rows.astype(np.float64)
        if self.method == "standard":
            return (rows - self.arrays["mean"]) * self.arrays["factor"]
        return _rank_gauss(rows, self.arrays["quantiles"])


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
