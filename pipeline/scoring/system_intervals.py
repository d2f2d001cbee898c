"""Selected systems -> each one's scores with their intervals, over units and seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pipeline.params import Evaluation, Task
from pipeline.scoring.comparison import RANGES, SCORES, SELECTION
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.intervals import Score, jackknife, score_interval
from pipeline.scoring.pooled import pool
from pipeline.scoring.scored_models import SCORED_PARTITIONS
from pipeline.scoring.task_scores import TASK_SCORES

INTERVAL_COLUMNS = (
    "system", "partition", "selection", "metric", "value", "std", "low", "high", "confidence", "error", "t",
    "seed_share", "seeds", "n", "unit", "units", "recordings",
)  # fmt: skip
WITH_INTERVALS: dict[str, dict[str, Score]] = {
    task: {HEADLINE[task]: own.score, **own.further} for task, own in TASK_SCORES.items()
}
"""Scores that follow from sums of units, whose intervals are given."""


def system_intervals(
    folds: Sequence[ScoredFold], task: Task, params: Evaluation, unit: str
) -> list[dict[str, Any]]:
    """Return one row per system, partition with gold standard, and metric of `WITH_INTERVALS`.

    folds: one, or all of a cross-validation, whose predictions are pooled. On dev each unit is scored at the
    settings that the other units and seeds chose (`selection` leave_one_out). `value` and `std`: mean and
    standard deviation over `seeds`; `low`, `high`, `error`, `t`, `seed_share`: see
    `pipeline.scoring.intervals`; n: rows scored with one seed; `units` of the kind `unit`, and `recordings`.
    """
    pooled = pool(folds, SCORES[task])
    rows = []
    for system in pooled.systems:
        for partition in SCORED_PARTITIONS:
            of_seeds = list(pooled.of(system, [system], partition).values())
            if not of_seeds:
                continue
            stacked = np.stack(of_seeds)  # (seeds, units, ...)
            whole = stacked[0].sum(0)
            n = int(TASK_SCORES[task].rows(whole))
            for metric, score in WITH_INTERVALS[task].items():
                scores = jackknife(stacked, score)
                found = score_interval(scores, params.confidence, RANGES[task])
                std = scores.whole.std(ddof=1) if len(stacked) > 1 else float("nan")
                values: tuple[Any, ...] = (
                    system, partition, SELECTION[partition], metric, found.value, std, found.low, found.high,
                    params.confidence, found.error, found.t, found.seed_share, len(stacked), n, unit,
                    stacked.shape[1], pooled.recordings([system], partition),
                )  # fmt: skip
                rows.append(dict(zip(INTERVAL_COLUMNS, values, strict=True)))
    return rows
