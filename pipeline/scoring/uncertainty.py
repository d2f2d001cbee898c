"""Chosen systems -> temperatures and intervals fitted on dev, and how well they hold elsewhere.

What is calibrated and tested is what a recogniser gives out, the mean over seeds
(`pipeline.scoring.averaged`): for classes its probabilities (`pipeline.learning.temperature`), for traces the
interval around its value after post-processing (`pipeline.scoring.conformal`). Both are fitted on dev and
tested on test. Where test has no gold standard they are tested on dev: each unit (recording, or speaker) with
what all others of dev give.
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
from pipeline.scoring.chain import Chain
from pipeline.scoring.chain_file import read_chains, steps_path
from pipeline.scoring.class_calibration import CLASS_COLUMNS, TestedClasses, tested_classes
from pipeline.scoring.interval_coverage import TRACE_COLUMNS, TestedTraces, tested_traces
from pipeline.scoring.plot_sources import read_points
from pipeline.scoring.selection import Point
from pipeline.scoring.set_calibration import SET_COLUMNS, TestedSets, tested_sets

UNCERTAINTY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "classification": ("system", "fold", *CLASS_COLUMNS),
    "regression": ("system", "fold", *TRACE_COLUMNS),
    "multilabel": ("system", "fold", *SET_COLUMNS),
}
RELIABILITY_COLUMNS = ("system", "calibrated", "confidence", "accuracy", "share")


class Fold(NamedTuple):
    """Files of one experiment in one fold, and the points chosen there."""

    name: str
    raw: Path
    final: Path
    points: Sequence[Point]

    @classmethod
    def of(cls, paths: Paths, file: str, fold: str, points: Sequence[Point]) -> Fold:
        """Find the files of predictions by their name."""
        name = f"{file}.parquet"
        return cls(fold, paths.raw_predictions / name, paths.predictions / name, points)


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
    if task.classes:
        tested = tested_sets if task.several else tested_classes
        for point, rows in finals.items():
            mean = _with_units(average(rows, task.several), speakers)
            names = [score_column(code) for code in class_codes(rows.columns)]
            yield point.system, tested(mean, names)
        return
    chains = read_chains(steps_path(fold.final), corpus.grid.hop)
    own = {point: _by_seed(chains, point) for point in finals}
    moved = [
        point
        for point, seeds in own.items()
        if any(chain.centring or chain.scaling for chain in seeds.values())
    ]
    raws = read_points(fold.raw, moved)
    for point, rows in finals.items():
        mean = _with_units(average(rows), speakers)
        dev = mean[mean["partition"] == "dev"]
        if point in raws:
            units = {str(name): str(who) for name, who in zip(mean["recording"], mean["unit"], strict=True)}
            left_out = dev_by_other_units(raws[point], own[point], units)
            dev = _with_units(average(left_out), speakers)
        yield point.system, tested_traces(dev, mean[mean["partition"] == "test"])


def _by_seed(chains: Mapping[Any, Chain], point: Point) -> dict[int, Chain]:
    return {variant.seed: own for variant, own in chains.items() if tuple(variant[:2]) == tuple(point)}


def _with_units(mean: pd.DataFrame, speakers: Mapping[str, str]) -> pd.DataFrame:
    return mean.assign(unit=[speakers.get(name) or name for name in mean["recording"]])
