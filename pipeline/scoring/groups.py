"""Selected systems and groups of recordings -> scores per group, and the largest gap between two groups.

A score of a group is that of its recordings alone. Intervals come from the jackknife over the group's units
(speakers, or recordings) and the standard error over seeds, as of all scores; with fewer units than could
establish anything there is none. The largest gap is chosen among all pairs of groups, so its interval is at
1 - (1 - confidence) / pairs (Bonferroni): it holds for all pairs at once.

A gap is a description, no verdict: groups differ in more than their name (noise, acting, and how much the
gold standard varies, on which a CCC depends).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.params import Evaluation, Task
from pipeline.scoring.comparison import RANGES, SCORES, SELECTION
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.intervals import gap_interval, jackknife, score_interval
from pipeline.scoring.pooled import OfGroup, Pooled, pool
from pipeline.scoring.scored_models import SCORED_PARTITIONS
from pipeline.scoring.task_scores import TASK_SCORES
from pipeline.scoring.verdict import enough_units

GROUP_COLUMNS = (
    "column", "system", "partition", "selection", "group", "minus", "metric", "value", "std", "low", "high",
    "confidence", "seeds", "n", "unit", "units", "recordings", "note",
)  # fmt: skip
NOT_GIVEN = "not given"
"""In place of an empty cell."""
FEW_UNITS = "too few units for an interval"
NO_GAP = "fewer than two groups with enough units"


def read_group_scores(path: Path) -> pd.DataFrame:
    """Read groups.csv; words of the user's are texts, whatever they look like (`1`, `NA`)."""
    texts = ("column", "group", "minus", "note")
    empty = {name: [""] for name in ("value", "std", "low", "high", "confidence")}
    return pd.read_csv(path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values=empty)


def group_scores(
    folds: Sequence[ScoredFold], columns: Sequence[str], task: Task, params: Evaluation, unit: str
) -> list[dict[str, Any]]:
    """Return a row per column, system, partition with gold standard and group, and one for the largest gap.

    columns: whose groups the atoms of `folds` have, in that order. The row of the gap has the group with the
    higher score in `group` and the other in `minus`, which is empty in all other rows; `value` is then the
    difference. Recordings without a group (`NOT_GIVEN`) have a row and are no part of a gap. `note` says why
    there is no interval, or no gap. n: labels scored with one seed. On dev each unit is scored at the
    settings that the others chose.
    """
    pooled = pool(folds, SCORES[task])
    rows: list[dict[str, Any]] = []
    for place, column in enumerate(columns):
        for system in pooled.systems:
            for partition in SCORED_PARTITIONS:
                if not pooled.sums[system, partition] or not pooled.units([system], partition):
                    continue
                head = (column, system, partition, SELECTION[partition])
                found = _of_groups(pooled, place, system, partition)
                for group, own in found.items():
                    rows.append(_row(head, group or NOT_GIVEN, own, task, params, unit))
                given = {group: own for group, own in found.items() if group}
                rows.append(_gap(head, given, task, params, unit))
    return rows


def _of_groups(pooled: Pooled, place: int, system: str, partition: str) -> dict[str, OfGroup]:
    """Return the groups with their sums, that without a name last."""
    names = sorted(pooled.groups(system, partition, place), key=lambda name: (not name, name))
    return {name: pooled.of_group(system, partition, place, name) for name in names}


def _row(
    head: tuple[str, ...], group: str, own: OfGroup, task: Task, params: Evaluation, unit: str
) -> dict[str, Any]:
    scores = jackknife(own.sums, SCORES[task])
    enough = enough_units(len(own.units), params.confidence)
    low = high = float("nan")
    if enough:
        found = score_interval(scores, params.confidence, RANGES[task])
        low, high = found.low, found.high
    std = scores.whole.std(ddof=1) if len(own.sums) > 1 else float("nan")
    values: tuple[Any, ...] = (
        *head, group, "", HEADLINE[task], scores.whole.mean(), std, low, high, params.confidence,
        len(own.sums), _labels(own, task), unit, len(own.units), own.recordings, "" if enough else FEW_UNITS,
    )  # fmt: skip
    return dict(zip(GROUP_COLUMNS, values, strict=True))


def _gap(
    head: tuple[str, ...], groups: dict[str, OfGroup], task: Task, params: Evaluation, unit: str
) -> dict[str, Any]:
    """Return the row of the largest gap among the groups with enough units."""
    score = SCORES[task]
    large = {name: own for name, own in groups.items() if enough_units(len(own.units), params.confidence)}
    means = {name: float(score(own.sums.sum(1)).mean()) for name, own in large.items()}
    means = {name: mean for name, mean in means.items() if not np.isnan(mean)}
    nan = float("nan")
    if len(means) < 2:
        values: tuple[Any, ...] = (
            *head, "", "", HEADLINE[task], nan, nan, nan, nan, nan, 0, 0, unit, 0, 0, NO_GAP
        )  # fmt: skip
        return dict(zip(GROUP_COLUMNS, values, strict=True))
    high, low = max(means, key=lambda name: means[name]), min(means, key=lambda name: means[name])
    pairs = len(list(combinations(means, 2)))
    confidence = 1 - (1 - params.confidence) / pairs
    ones, others = large[high], large[low]
    found = gap_interval(
        (ones.units, ones.sums), (others.units, others.sums), score, confidence, RANGES[task]
    )
    by_seed = score(ones.sums.sum(1)) - score(others.sums.sum(1))
    std = by_seed.std(ddof=1) if len(by_seed) > 1 else nan
    values = (
        *head, high, low, HEADLINE[task], found.value, std, found.low, found.high, confidence, len(by_seed),
        _labels(ones, task) + _labels(others, task), unit, len({*ones.units, *others.units}),
        ones.recordings + others.recordings, "",
    )  # fmt: skip
    return dict(zip(GROUP_COLUMNS, values, strict=True))


def _labels(own: OfGroup, task: Task) -> int:
    whole = own.sums[0].sum(0)
    return int(TASK_SCORES[task].rows(whole))
