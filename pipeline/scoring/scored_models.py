"""A prediction file -> the scores of every model, and the sums per unit that the bootstrap needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from pipeline.params import Task
from pipeline.scoring.metrics import METRICS, score_classification, score_regression, scored
from pipeline.scoring.moments import moments
from pipeline.scoring.predictions import KEY, PredictionsError, read_models

SCORED_PARTITIONS = ("dev", "test")
Statistics = NDArray[np.float64]


@dataclass(frozen=True)
class ScoredModels:
    """Everything evaluation needs of one prediction file.

    scores: system, setting, seed, partition, metric, value, n (rows with gold standard). sums:
    (system, setting, seed, partition) -> per unit six sums or confusion counts, (units, ...). units:
    partition -> the units with gold standard, in the order of `sums`.
    """

    scores: pd.DataFrame
    sums: Mapping[tuple[str, str, int, str], Statistics]
    units: Mapping[str, tuple[str, ...]]

    def classes(self, partition: str) -> tuple[int, int] | None:
        """Return how many classes occur in the gold standard of a partition, and how many there are.

        None for a regression, and where there is no gold standard.
        """
        for key, counts in self.sums.items():
            if key[3] == partition and counts.ndim == 3:  # (units, gold, predicted)
                return int((counts.sum((0, 2)) > 0).sum()), counts.shape[1]
        return None

    def of_seeds(self, system: str, setting: str, partition: str) -> dict[int, Statistics]:
        """Return the sums of a system at a setting per seed, seeds ascending."""
        chosen = {
            key[2]: value
            for key, value in self.sums.items()
            if (key[0], key[1], key[3]) == (system, setting, partition)
        }
        return dict(sorted(chosen.items()))


def score_models(path: Path, task: Task, speakers: Mapping[str, str]) -> ScoredModels:
    """Score every model of a prediction file on dev and test.

    speakers: recording -> speaker; the units of the bootstrap. A recording without a speaker (or with an
    empty name) is a unit of its own.

    Raises:
        PredictionsError: see `pipeline.scoring.predictions.read_models`.
        ValueError: a prediction is not finite where there is gold standard.
    """
    scores, sums = [], {}
    units: dict[str, tuple[str, ...]] = {}
    for model in read_models(path):
        classes = class_codes(model.rows)
        if task == "classification" and not classes:
            raise PredictionsError(f"{path}: no columns score_0 ... score_C-1, which name the classes")
        for partition in SCORED_PARTITIONS:
            rows = model.rows[model.rows["partition"] == partition]
            if rows.empty:
                continue
            prediction, gold = rows["prediction"].to_numpy(np.float64), rows["gold"].to_numpy(np.float64)
            try:
                if task == "regression":
                    values = score_regression(prediction, gold, rows["recording"].to_numpy())
                else:
                    values = score_classification(prediction, gold)
            except ValueError as error:
                raise ValueError(f"{path}, {model.variant.name}, {partition}: {error}") from None
            known = rows[~np.isnan(gold)]
            scores += [
                (*model.variant, partition, metric, values[metric], len(known)) for metric in METRICS[task]
            ]
            unit = [speakers.get(name) or name for name in known["recording"]]
            parts = list(known.groupby(np.array(unit, dtype=object), sort=True))
            units[partition] = tuple(str(name) for name, _ in parts)
            if parts:
                sums[*model.variant, partition] = np.stack([_sums(part, task, classes) for _, part in parts])
    columns = [*KEY, "partition", "metric", "value", "n"]
    return ScoredModels(pd.DataFrame(scores, columns=columns), sums, units)


def class_codes(rows: pd.DataFrame) -> list[int]:
    """Return the class codes 0 ... C-1 of a prediction table: one per column `score_<code>`."""
    return sorted(int(name.removeprefix("score_")) for name in rows.columns if name.startswith("score_"))


def _sums(rows: pd.DataFrame, task: Task, classes: list[int]) -> Statistics:
    prediction, gold = scored(rows["prediction"].to_numpy(), rows["gold"].to_numpy())
    if task == "regression":
        return moments(prediction, gold)
    return np.asarray(confusion_matrix(gold, prediction, labels=classes), dtype=np.float64)
