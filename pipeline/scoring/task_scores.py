"""What is computed of the predictions of each task of `pipeline.catalogue.tasks`: one entry per task.

Scores of rows are for results.csv; scores of sums, which add up over units, for intervals and tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from pipeline.learning.prediction_file import score_column
from pipeline.scoring.confusions import accuracy_of_confusion, f1_of_confusion, uar_of_confusion
from pipeline.scoring.intervals import Range, Score
from pipeline.scoring.metrics import METRICS, score_classification, score_regression, scored
from pipeline.scoring.moments import ccc_of_moments, moments
from pipeline.scoring.set_counts import f1_binary, hamming_accuracy, rows_of_counts, wacc
from pipeline.scoring.set_metrics import score_sets, set_counts
from pipeline.scoring.significance import Test, fisher_r_to_z, proportions_z

Statistics = NDArray[np.float64]
Rows = pd.DataFrame
Codes = Sequence[int]


@dataclass(frozen=True)
class TaskScores:
    """One task.

    values: rows of a model and codes of the classes -> every metric of the task. sums: of rows with gold
    standard -> what adds up over units. shape: of these, for a number of classes. rows: sums -> how many rows
    they are of. score: the headline score of sums, `of` in this range. own: the score of one unit that the
    sign-flip test and the paper's test compare, called `own_name`, defined for one speaker as well. further:
    scores of sums besides the headline whose intervals are given. occurs: sums of units, (units, ...) ->
    which classes gold has; None where there are none. test: the paper's, and its name.
    """

    metrics: tuple[str, ...]
    values: Callable[[Rows, Codes], dict[str, float]]
    sums: Callable[[Rows, Codes], Statistics]
    shape: Callable[[int], tuple[int, ...]]
    rows: Callable[[Statistics], NDArray[np.float64]]
    score: Score
    of: Range
    own: Score
    own_name: str
    test: tuple[str, Callable[[float, float, int, int], Test]]
    further: Mapping[str, Score] = field(default_factory=dict)
    occurs: Callable[[Statistics], NDArray[np.bool_]] | None = None


def _columns(rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rows["prediction"].to_numpy(np.float64), rows["gold"].to_numpy(np.float64)


def _confusion(rows: Rows, classes: Codes) -> Statistics:
    prediction, gold = scored(*_columns(rows))
    return np.asarray(confusion_matrix(gold, prediction, labels=classes), dtype=np.float64)


def _sets(rows: Rows, classes: Codes) -> dict[str, float]:
    return score_sets(*_columns(rows), rows[[score_column(code) for code in classes]].to_numpy(np.float64))


PROPORTIONS = ("z-test of proportions", proportions_z)
TASK_SCORES: Mapping[str, TaskScores] = {
    "regression": TaskScores(
        metrics=METRICS["regression"],
        values=lambda rows, classes: score_regression(*_columns(rows), rows["recording"].to_numpy()),
        sums=lambda rows, classes: moments(*_columns(rows)),
        shape=lambda classes: (6,),
        rows=lambda sums: sums[..., 0],
        score=ccc_of_moments,
        of="correlation",
        own=ccc_of_moments,
        own_name="ccc",
        test=("Fisher r-to-z", fisher_r_to_z),
    ),
    "classification": TaskScores(
        metrics=METRICS["classification"],
        values=lambda rows, classes: score_classification(*_columns(rows)),
        sums=_confusion,
        shape=lambda classes: (classes, classes),
        rows=lambda counts: counts.sum((-2, -1)),
        score=f1_of_confusion,
        of="share",
        own=accuracy_of_confusion,
        own_name="accuracy",
        test=PROPORTIONS,
        further={"uar": uar_of_confusion, "accuracy": accuracy_of_confusion},
        occurs=lambda counts: counts.sum((0, 2)) > 0,  # (units, gold, predicted)
    ),
    "multilabel": TaskScores(
        metrics=METRICS["multilabel"],
        values=_sets,
        sums=lambda rows, classes: set_counts(*_columns(rows), len(classes)),
        shape=lambda classes: (classes, 2, 2),
        rows=rows_of_counts,
        score=wacc,
        of="share",
        own=hamming_accuracy,
        own_name="hamming",
        test=PROPORTIONS,
        further={"f1_binary": f1_binary, "hamming": hamming_accuracy},
        occurs=lambda counts: counts.sum(0)[:, 1].sum(-1) > 0,  # (units, classes, gold, predicted)
    ),
}
