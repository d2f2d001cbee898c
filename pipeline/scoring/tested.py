"""What calibrations of classes and of sets of labels share: folds put together, errors with intervals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from pipeline.scoring.intervals import jackknife, score_interval
from pipeline.scoring.reliability import Reliability, Sums, calibration_error, debiased_error

DRAWS = 1000
"""Of outcomes, for the error that chance alone makes."""
SELECTION = {"test": "dev", "dev": "leave_one_out"}
"""On what a calibration was fitted, by the partition on which it is tested."""


class Tested(Protocol):
    """A calibration, and the utterances on which it is tested; partition: empty where there are none."""

    @property
    def partition(self) -> str:
        """Return test, dev, or nothing."""


Part = TypeVar("Part", bound=Tested)


def joined(parts: Sequence[Part]) -> Part:
    """Put the arrays of several folds together; the rest is the first's.

    Left out are folds without a partition, and those tested on dev where others are tested on test: who is
    in their dev is in the test of another one.

    parts: dataclasses of one kind, one or more.
    """
    known = [part for part in parts if part.partition == "test"]
    known = known or [part for part in parts if part.partition] or list(parts[:1])
    first = parts[0]
    names = [own.name for own in dataclasses.fields(first)]  # type: ignore[arg-type]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in known])
        for name in names
        if isinstance(getattr(first, name), np.ndarray)
    }
    found: Part = dataclasses.replace(first, partition=known[0].partition, **arrays)  # type: ignore[type-var]
    return found


def curve_rows(calibrated: int, found: Reliability) -> list[dict[str, float]]:
    """Return a reliability curve, one row per bin; calibrated: 0 before, 1 after."""
    return [
        {"calibrated": calibrated, "confidence": confidence, "accuracy": accuracy, "share": share}
        for confidence, accuracy, share in zip(found.confidence, found.accuracy, found.share, strict=True)
    ]


def error_interval(sums: Sums, confidence: float) -> tuple[float, float, float]:
    """Return the calibration error with its interval, from the jackknife over units."""
    # one "seed": what is scored is the mean over seeds
    found = score_interval(jackknife(sums[None], calibration_error), confidence, "share")
    return found.value, found.low, found.high


def debiased_interval(sums: Sums, confidence: float) -> tuple[float, float, float]:
    """Return the debiased calibration error with its interval, from the jackknife over units."""
    found = score_interval(jackknife(sums[None], debiased_error), confidence, "correlation")  # -1 to 1
    return found.value, found.low, found.high
