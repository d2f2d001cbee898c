"""Errors of a mean trace on dev and test -> how far its interval reaches, and how much it covers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.params import Evaluation
from pipeline.scoring.conformal import COVERAGE, Reach, reach
from pipeline.scoring.intervals import jackknife, score_interval

TRACE_COLUMNS = (
    "partition", "selection", "reach", "rule", "dev_units", "nominal", "coverage", "coverage_low",
    "coverage_high", "lowest", "width", "gold_width", "confidence", "n", "unit", "units", "recordings",
)  # fmt: skip
NAN = float("nan")


@dataclass(frozen=True)
class TestedTraces:
    """A reach, and the frames on which it is tested.

    partition: empty where there is nothing to test on. frames: `unit, recording, gold, covered, width`.
    """

    reach: Reach
    partition: str
    frames: pd.DataFrame

    @staticmethod
    def row(parts: Sequence[TestedTraces], params: Evaluation, unit: str) -> dict[str, Any]:
        """Return the values of `TRACE_COLUMNS`, over all `parts` (folds) together.

        coverage: share of frames within the interval, each unit weighing the same; lowest: of the worst unit.
        width: mean of the whole interval. gold_width: that of the interval which knows the gold standard's
        distribution and nothing else, from its 5th to its 95th percentile.
        """
        # a fold without anything to test tests its dev, who are tested by other folds already
        known = [part for part in parts if part.partition == "test"] or [
            part for part in parts if part.partition
        ]
        frames = pd.concat([part.frames for part in known or parts[:1]], ignore_index=True)
        one = len(parts) == 1
        covered: tuple[float, ...] = (NAN,) * 4
        width = gold_width = NAN
        if len(frames):
            covered = _coverage(frames, params.confidence)
            width = float(frames["width"].mean())
            ends = np.quantile(frames["gold"], [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
            gold_width = float(ends[1] - ends[0])
        partition = known[0].partition if known else ""
        values: tuple[Any, ...] = (
            partition, {"test": "dev", "dev": "leave_one_out"}.get(partition, ""),
            parts[0].reach.value if one else NAN, parts[0].reach.rule if one else "",
            parts[0].reach.units if one else NAN, COVERAGE, *covered, width, gold_width, params.confidence,
            len(frames), unit, frames["unit"].nunique(), frames["recording"].nunique(),
        )  # fmt: skip
        return dict(zip(TRACE_COLUMNS, values, strict=True))


def tested_traces(dev: pd.DataFrame, test: pd.DataFrame) -> TestedTraces:
    """Fit on dev, and test on test, or where it has no gold standard on each unit of dev by the others.

    dev, test: `recording, gold, prediction, unit`, a row per label time; dev as if each unit were never seen.
    """
    dev, test = (rows[rows["gold"].notna()] for rows in (dev, test))
    by_unit = {str(name): _errors(rows) for name, rows in dev.groupby("unit", sort=True)}
    found = reach(list(by_unit.values()))
    if len(test):
        within = np.full(len(test), found.value)
        partition, rows = "test", test
    else:
        others = {
            name: reach([own for other, own in by_unit.items() if other != name]).value for name in by_unit
        }
        within = dev["unit"].map(others).to_numpy(np.float64)
        partition, rows = "dev", dev
    if not len(rows) or np.isnan(within).any():
        partition, rows, within = "", rows[:0], within[:0]
    frames = rows[["unit", "recording", "gold"]].assign(
        covered=np.abs(_errors(rows)) <= within, width=2 * within
    )
    return TestedTraces(found, partition, frames)


def _errors(rows: pd.DataFrame) -> NDArray[np.float64]:
    return rows["prediction"].to_numpy(np.float64) - rows["gold"].to_numpy(np.float64)


def _coverage(frames: pd.DataFrame, confidence: float) -> tuple[float, float, float, float]:
    """Return the mean coverage of units with its interval, and that of the worst."""
    of_units = frames.groupby("unit")["covered"].mean().to_numpy(np.float64)

    def mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.divide(
            sums[..., 0], sums[..., 1], out=np.full(sums.shape[:-1], NAN), where=sums[..., 1] > 0
        )

    sums = np.stack((of_units, np.ones(len(of_units))), axis=1)[None]  # one "seed": the mean over seeds
    found = score_interval(jackknife(sums, mean), confidence, "share")
    return found.value, found.low, found.high, float(of_units.min())
