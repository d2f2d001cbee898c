"""Chosen systems -> their scores by class, where an utterance may have several labels.

One row per system, class and partition with gold standard: how often the class is there, weighted accuracy
with its interval over units and seeds, F1 of present labels, weighted F1 as in the release of Dai et al., and
the area under the curve. With a cross-validation the test predictions of all folds count together, each fold
at its own points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.learning.prediction_file import class_codes, score_column
from pipeline.params import Corpus, Evaluation
from pipeline.paths import Paths
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.intervals import jackknife, score_interval
from pipeline.scoring.plot_sources import read_points
from pipeline.scoring.pooled import pool
from pipeline.scoring.set_counts import f1_by_class, f1_weighted_by_class, wacc, wacc_by_class
from pipeline.scoring.set_metrics import auc_by_class

CLASS_SCORE_COLUMNS = (
    "system", "class", "partition", "present", "n", "wacc", "wacc_std", "wacc_low", "wacc_high", "f1_binary",
    "f1_weighted_binary", "auc", "confidence", "seeds", "unit", "units",
)  # fmt: skip


def class_scores(
    folds: Sequence[ScoredFold], files: Sequence[Path], classes: Sequence[str], params: Evaluation, unit: str
) -> list[dict[str, Any]]:
    """Return the rows of scores/classes.csv of one experiment, `CLASS_SCORE_COLUMNS`.

    files: the predictions of each fold. Scores are means over seeds; dev is left out where test has gold
    standard, since settings were chosen on it.
    """
    pooled = pool(folds, wacc)
    rows = []
    for system in pooled.systems:
        partition = "test" if pooled.of(system, [system], "test") else "dev"
        of_seeds = list(pooled.of(system, [system], partition).values())
        if not of_seeds:
            continue
        stacked = np.stack(of_seeds)  # (seeds, units, classes, 2, 2)
        areas = _areas(folds, files, system, partition)
        for code, name in enumerate(classes):
            found = score_interval(
                jackknife(stacked, partial(_of_class, code=code)), params.confidence, "share"
            )
            whole = stacked.sum(1)[:, code]  # (seeds, 2, 2)
            own = wacc_by_class(whole[:, None])[:, 0]
            values: tuple[Any, ...] = (
                system, name, partition, int(whole[0, 1].sum()), int(whole[0].sum()), found.value,
                own.std(ddof=1) if len(own) > 1 else float("nan"), found.low, found.high,
                f1_by_class(whole[:, None]).mean(), f1_weighted_by_class(whole[:, None]).mean(), areas[code],
                params.confidence, len(stacked), unit, stacked.shape[1],
            )  # fmt: skip
            rows.append(dict(zip(CLASS_SCORE_COLUMNS, values, strict=True)))
    return rows


def class_names(paths: Paths, corpus: Corpus) -> tuple[str, ...]:
    """Return the names of the classes by code, as the labels that were learned have them."""
    own = paths.of_fold(corpus.trained[0])
    return tuple(json.loads(own.label_facts.read_text(encoding="utf-8"))["classes"])


def co_occurrence(gold: NDArray[np.float64], classes: int) -> NDArray[np.int64]:
    """Return how many utterances have both of two labels, (classes, classes); on the diagonal, each."""
    present = matrix_of(gold, classes).astype(np.int64)
    return np.asarray(present.T @ present)


def _of_class(counts: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    return wacc_by_class(counts[..., code : code + 1, :, :])[..., 0]


def _areas(
    folds: Sequence[ScoredFold], files: Sequence[Path], system: str, partition: str
) -> NDArray[np.float64]:
    """Return the area of each class, mean over seeds, of the rows of all folds together, (classes,)."""
    parts = []
    for fold, file in zip(folds, files, strict=True):
        points = [point for point in fold.points if point.system == system]
        parts += list(read_points(file, points).values())
    rows = pd.concat(parts)
    rows = rows[(rows["partition"] == partition) & rows["gold"].notna()]
    names = [score_column(code) for code in class_codes(rows.columns)]
    by_seed = [
        auc_by_class(own[names].to_numpy(np.float64), own["gold"].to_numpy())
        for _, own in rows.groupby("seed")
    ]
    return np.asarray(np.mean(by_seed, axis=0))
