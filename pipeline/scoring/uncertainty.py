"""Chosen systems -> temperatures and intervals fitted on dev, and how well they hold elsewhere.

What is calibrated and tested is what a recogniser gives out, the mean over seeds
(`pipeline.scoring.averaged`): for classes its probabilities (`pipeline.learning.temperature`), for traces the
interval around its value after post-processing (`pipeline.scoring.conformal`). Both are fitted on dev and
tested on test. Where test has no gold standard they are tested on dev: each unit (recording, or speaker) with
what all others of dev give.

The setting and the post-processing were chosen on dev too, so dev's own errors with them are smaller than
those of somebody new. So each unit of dev has the trace of the setting and the chain that all others choose,
as if it had never been there. What is left are epochs that were chosen on dev (`best_dev_epoch`, `patience`).
Of classes it is the setting of all: each has a scale of its own, and one temperature is not that of several.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from pipeline.catalogue.systems import in_order
from pipeline.catalogue.tasks import TASKS
from pipeline.learning.prediction_file import class_codes, score_column
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.scoring.averaged import average, dev_by_other_units
from pipeline.scoring.class_calibration import CLASS_COLUMNS, TestedClasses, tested_classes
from pipeline.scoring.interval_coverage import TRACE_COLUMNS, TestedTraces, tested_traces
from pipeline.scoring.left_out import settings_by_others
from pipeline.scoring.plot_sources import read_points
from pipeline.scoring.scored_models import ScoredModels
from pipeline.scoring.selection import Point
from pipeline.scoring.set_calibration import SET_COLUMNS, TestedSets, tested_sets
from pipeline.scoring.task_scores import TASK_SCORES

UNCERTAINTY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "classification": ("system", "fold", *CLASS_COLUMNS),
    "regression": ("system", "fold", *TRACE_COLUMNS),
    "multilabel": ("system", "fold", *SET_COLUMNS),
}
RELIABILITY_COLUMNS = ("system", "calibrated", "confidence", "accuracy", "share")


class Fold(NamedTuple):
    """Files of one experiment in one fold, and the points chosen there.

    models: scores of all that was trained, by which each unit of dev has the setting that the others choose.
    """

    name: str
    raw: Path
    final: Path
    points: Sequence[Point]
    models: ScoredModels

    @classmethod
    def of(cls, paths: Paths, file: str, fold: str, points: Sequence[Point], models: ScoredModels) -> Fold:
        """Find the files of predictions by their name."""
        name = f"{file}.parquet"
        return cls(fold, paths.raw_predictions / name, paths.predictions / name, points, models)


class Uncertainty(NamedTuple):
    """Rows of scores/uncertainty.csv, and for classes of scores/reliability.csv, of one experiment."""

    rows: list[dict[str, Any]]
    reliability: list[dict[str, Any]]


def uncertainty(
    folds: Sequence[Fold],
    corpus: Corpus,
    speakers: Mapping[str, str],
    unit: str,
    classes: Sequence[str] = (),
) -> Uncertainty:
    """Fit on dev, test on test (or by leaving out on dev), for every system.

    speakers: recording -> speaker; a recording without one is a unit of its own. unit: the word for them.
    classes: names by code, where an utterance may have several: then there is a row for each class. With
    several folds there is a row of each, and one, whose `fold` is empty, of all test predictions together.
    """
    tested: dict[str, list[tuple[str, Any]]] = {}
    for fold in folds:
        for system, own in _of_fold(fold, corpus, speakers):
            tested.setdefault(system, []).append((fold.name, own))
    found = Uncertainty([], [])
    for system in in_order(tested):
        parts = tested[system]
        every = [("", [own for _, own in parts])]
        every += [(name, [own]) for name, own in parts] if len(folds) > 1 else []
        for name, of_folds in every:
            first, about = of_folds[0], (corpus.evaluation, unit)
            rows = first.rows(of_folds, classes, *about) if classes else [first.row(of_folds, *about)]
            found.rows.extend({"system": system, "fold": name} | row for row in rows)
        if TASKS[corpus.task].classes:
            curve = every[0][1][0].curve(every[0][1])
            found.reliability.extend({"system": system} | row for row in curve)
    return found


def _of_fold(
    fold: Fold, corpus: Corpus, speakers: Mapping[str, str]
) -> Iterator[tuple[str, TestedClasses | TestedTraces | TestedSets]]:
    finals = read_points(fold.final, fold.points)
    task = TASKS[corpus.task]
    means = {point: _with_units(average(rows, task.several), speakers) for point, rows in finals.items()}
    if task.classes:
        tested = tested_sets if task.several else tested_classes
        for point, mean in means.items():
            names = [score_column(code) for code in class_codes(mean.columns)]
            yield point.system, tested(mean, names)
        return
    score = TASK_SCORES[corpus.task].score
    chosen = {point: settings_by_others(fold.models, point.system, score) for point in fold.points}
    wanted = {Point(point.system, name) for point, own in chosen.items() for name in own.values()}
    raws = read_points(fold.raw, sorted(wanted))
    for point, mean in means.items():
        parts = [mean[(mean["partition"] == "dev") & mean["gold"].isna()]]
        for name in sorted({*chosen[point].values()}):
            rows = raws[Point(point.system, name)]
            units = {str(own): speakers.get(str(own)) or str(own) for own in rows["recording"].unique()}
            left_out = dev_by_other_units(rows, units, corpus.postprocessing, corpus.grid.hop)
            own = _with_units(average(left_out), speakers)
            parts.append(own[own["unit"].map(chosen[point]) == name])
        yield point.system, tested_traces(pd.concat(parts), mean[mean["partition"] == "test"])


def _with_units(mean: pd.DataFrame, speakers: Mapping[str, str]) -> pd.DataFrame:
    return mean.assign(unit=[speakers.get(name) or name for name in mean["recording"]])
