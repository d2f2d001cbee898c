"""Predictions of one recogniser and the gold standard -> scores with intervals, also by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.cross.gold import NothingToScoreError
from pipeline.learning.prediction_file import score_column
from pipeline.learning.system import Variant
from pipeline.params import Evaluation, Task
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.groups import group_scores
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.predictions import Model
from pipeline.scoring.scored_models import Groups, score_rows
from pipeline.scoring.selection import Point, over_seeds
from pipeline.scoring.system_intervals import system_intervals

AS = "test"
"""What the recordings count as for functions of the pipeline, whatever partition they are of."""


class Predicted(NamedTuple):
    """One recording: prediction and gold standard, (frames,) each; NaN for no gold.

    Of classes they are codes, or codes of sets; then `scores` are the probabilities, (frames, classes).
    """

    recording: str
    prediction: NDArray[np.float64]
    gold: NDArray[np.float64]
    scores: NDArray[np.float64] | None = None


class Scores(NamedTuple):
    """scores: metric, value, low, high, confidence, n, unit, units, recordings. groups: as groups.csv."""

    scores: list[dict[str, Any]]
    groups: list[dict[str, Any]]


def score(
    found: Sequence[Predicted], task: Task, classes: int, variant: Variant, speakers: Mapping[str, str],
    groups: Groups, params: Evaluation, unit: str, where: str,
) -> Scores:  # fmt: skip
    """Score predictions that are already the mean over seeds, as the stage evaluate scores those of a model.

    classes: how many, 0 for traces. variant: the recogniser's system and setting. speakers: recording ->
    speaker. groups: column -> recording -> group. unit: of intervals, in a word. where: begins errors. The
    spread over seeds is no part of the intervals: it is this recogniser that is scored, not its training.

    Raises:
        NothingToScoreError: nothing has a gold standard.
        ValueError: a prediction is not finite where there is some.
    """
    if not any(np.isfinite(item.gold).any() for item in found):
        raise NothingToScoreError(
            f"{where}: no label time of a recording has both a prediction and a gold standard"
        )
    table = _rows(found, classes, variant)
    scored = frozenset(table.loc[table["gold"].notna(), "recording"])
    covered = {(variant.system, AS): scored}
    models = score_rows(where, [Model(variant, table)], covered, task, speakers, groups)
    fold = ScoredFold("", models, over_seeds(models.scores), [Point(variant.system, variant.setting)])
    intervals = {row["metric"]: row for row in system_intervals([fold], task, params, unit)}
    any_interval = next(iter(intervals.values()))
    rows = []
    values = models.scores.set_index("metric")["value"].to_dict()
    counts = models.scores.set_index("metric")["n"].to_dict()
    for metric in METRICS[task]:
        own = intervals.get(metric, {})
        rows.append(
            {
                "metric": metric,
                "value": float(values[metric]),
                "low": own.get("low", float("nan")),
                "high": own.get("high", float("nan")),
                "confidence": params.confidence,
                "n": int(counts[metric]),
                "unit": unit,
                "units": any_interval["units"],
                "recordings": any_interval["recordings"],
            }
        )
    return Scores(rows, group_scores([fold], list(groups), task, params, unit))


def _rows(found: Sequence[Predicted], classes: int, variant: Variant) -> pd.DataFrame:
    """Return rows as prediction files have them, sorted."""
    parts = [
        pd.DataFrame(
            {
                "recording": item.recording,
                "time": np.arange(len(item.gold), dtype=np.float64),
                "partition": AS,
                "system": variant.system,
                "setting": variant.setting,
                "seed": variant.seed,
                "prediction": item.prediction,
                "gold": item.gold,
            }
        )
        for item in sorted(found, key=lambda item: item.recording)
    ]
    table = pd.concat(parts, ignore_index=True)
    ordered = sorted(found, key=lambda item: item.recording)
    # without probabilities the names of their columns alone say which classes there are
    scores = [
        np.full((len(item.gold), classes), np.nan) if item.scores is None else item.scores for item in ordered
    ]
    every = np.concatenate(scores)
    return table.assign(**{score_column(code): every[:, code] for code in range(classes)})
