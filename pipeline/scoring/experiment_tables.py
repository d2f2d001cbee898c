"""Predictions of one scenario and dimension -> its rows of every table of a corpus' scores."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.running.errors import placed
from pipeline.scoring.class_scores import class_scores
from pipeline.scoring.comparison import compare
from pipeline.scoring.folds import LEFT_OUT, ScoredFold, grid_over_folds, systems_over_folds
from pipeline.scoring.groups import group_scores
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.plot_sources import write_plot_sources
from pipeline.scoring.refitted import with_refitted
from pipeline.scoring.scored_models import NO_GROUPS, SCORED_PARTITIONS, Groups, ScoredModels, score_models
from pipeline.scoring.selection import Point, place
from pipeline.scoring.system_intervals import system_intervals
from pipeline.scoring.uncertainty import Fold, uncertainty
from pipeline.scoring.word_scores import word_scores

logger = logging.getLogger(__name__)

ORIGIN = ("target", "auxiliary", "dimension")
EXPERIMENT = (*ORIGIN, "postprocessed")
"""What a row of every table is about, whatever else it says."""


class ExperimentTables(NamedTuple):
    """Rows of every table, of one experiment or of several, as `pipeline.scoring.evaluation` says."""

    results: list[pd.DataFrame]
    grids: list[pd.DataFrame]
    comparisons: list[dict[str, Any]]
    intervals: list[dict[str, Any]]
    groups: list[dict[str, Any]]
    uncertain: list[dict[str, Any]]
    reliability: list[dict[str, Any]]
    classes: list[dict[str, Any]]
    words: list[dict[str, Any]]

    @classmethod
    def joined(cls, several: Iterable[ExperimentTables]) -> ExperimentTables:
        """Return the rows of several, one after the other."""
        joined = cls(*([] for _ in cls._fields))
        for tables in several:
            for table in cls._fields:
                getattr(joined, table).extend(getattr(tables, table))
        return joined


class Scoring(NamedTuple):
    """What scoring the experiments of a corpus has in common.

    speakers: of each recording. groups: of recordings, whose scores are taken apart. unit: what scores vary
    over, in a word. classes: their names, where an utterance may have several.
    """

    paths: Paths
    corpus: Corpus
    speakers: Mapping[str, str]
    groups: Groups
    unit: str
    classes: tuple[str, ...]


def tables_of(scoring: Scoring, experiment: tuple[int, tuple[Scenario, str]]) -> tuple[int, ExperimentTables]:
    """Score the predictions of an experiment, and write the sources of its plots.

    experiment: a number, which is returned, and scenario and dimension.
    """
    number, (scenario, dimension) = experiment
    with placed(experiment_name(scenario.name, dimension)):
        return number, _tables(scoring, scenario, dimension)


def _tables(scoring: Scoring, scenario: Scenario, dimension: str) -> ExperimentTables:
    paths, corpus, speakers, groups, unit, classes = scoring
    results, grids, comparisons, intervals, of_groups = [], [], [], [], []
    task = TASKS[corpus.task]
    final = int(task.finished)
    metric = HEADLINE[corpus.task]
    name = experiment_name(scenario.name, dimension)
    origin = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension}
    points: dict[int, dict[str, Any]] = {}
    folds: list[ScoredFold] = []
    for postprocessed in (0, 1):
        kind = origin | {"postprocessed": postprocessed}
        if not (postprocessed and corpus.grid.utterances):  # of which no chain changes anything
            folds = [
                ScoredFold.of(fold, scored(paths, file, corpus, postprocessed, speakers, groups), metric)
                for fold, file in _files(scenario.name, dimension, corpus)
            ]
        for fold, part in _parts(folds):
            selected, grid = _fold_tables(part, metric)
            results.append(selected.assign(**kind, fold=fold))
            grids.append(grid.assign(**kind, fold=fold))
            about = (part, corpus.task, corpus.evaluation, unit)
            comparisons += [kind | row | {"fold": fold} for row in compare(*about)]
            of_systems = [kind | row | {"fold": fold} for row in system_intervals(*about)]
            intervals += of_systems
            if not fold:
                found = group_scores(part, list(groups), *about[1:])
                of_groups += [kind | row for row in found]
                if len(part) == 1:
                    results.append(_left_out(of_systems, metric))
                if not postprocessed:  # both kinds have the same gold standard
                    _warn_of_missing_gold(name, selected, metric)
                    _warn_of_missing_predictions(name, selected)
        if not postprocessed:
            _say_which_classes(name, folds)
        points[postprocessed] = {experiment_name(name, "", fold.name): fold.points for fold in folds}
    write_plot_sources(paths, name, points[final], corpus.task)
    of_folds = [
        Fold.of(paths, file, own.name, chosen, own.models)
        for (file, chosen), own in zip(points[final].items(), folds, strict=True)
    ]
    of_classes: list[dict[str, Any]] = []
    if task.several:
        paths_of = [paths.predictions / file for _, file in _files(scenario.name, dimension, corpus)]
        found = class_scores(folds, paths_of, classes, corpus.evaluation, unit)
        of_classes = [origin | row for row in found]
    found = word_scores(of_folds, scenario.name, dimension, paths, corpus, speakers, unit)
    of_words = [origin | row for row in found]
    sure = uncertainty(of_folds, corpus, speakers, unit, classes)
    return ExperimentTables(
        results, grids, comparisons, intervals, of_groups,
        [origin | row for row in sure.rows], [origin | row for row in sure.reliability],
        of_classes, of_words,
    )  # fmt: skip


def scored(
    paths: Paths,
    file: str,
    corpus: Corpus,
    postprocessed: int,
    speakers: Mapping[str, str],
    groups: Groups = NO_GROUPS,
) -> ScoredModels:
    """Score one prediction file of an experiment, raw or post-processed; file: its name."""
    raw, final = paths.raw_predictions / file, paths.predictions / file
    models = score_models(final if postprocessed else raw, corpus.task, speakers, groups)
    if not postprocessed or TASKS[corpus.task].classes:
        return models
    return with_refitted(models, raw, corpus.postprocessing, corpus.grid.hop)


def _files(scenario: str, dimension: str, corpus: Corpus) -> Iterator[tuple[str, str]]:
    for fold in corpus.partitions.names:
        yield fold, f"{experiment_name(scenario, dimension, fold)}.parquet"


def _parts(folds: list[ScoredFold]) -> Iterator[tuple[str, list[ScoredFold]]]:
    """Yield what gets rows of its own: all folds under an empty name, then, if several, each by itself."""
    yield "", folds
    if len(folds) > 1:
        for fold in folds:
            yield fold.name, [fold]


def _fold_tables(folds: list[ScoredFold], metric: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the scores of the systems and of the grid, over folds where there are several."""
    if len(folds) > 1:
        over = systems_over_folds(folds).assign(selection="dev")
        return over, _grid(*grid_over_folds(folds), metric)
    (fold,) = folds
    selected = fold.selected().assign(folds=1, std_folds=float("nan"), selection="dev")
    return selected, _grid(fold.summary, Counter(fold.points), metric)


def _left_out(intervals: list[dict[str, Any]], metric: str) -> pd.DataFrame:
    """Return the rows of results.csv on dev by settings that others chose."""
    rows = [row for row in intervals if row["partition"] == "dev" and row["metric"] == metric]
    columns = [*EXPERIMENT, "fold", "system", "partition", "selection"]
    table = pd.DataFrame(rows, columns=[*columns, "metric", "value", "std", "seeds", "n"])
    return table.rename(columns={"value": "mean"}).assign(setting=LEFT_OUT, folds=1, std_folds=float("nan"))


def _say_which_classes(name: str, folds: list[ScoredFold]) -> None:
    """Log where macro averages run over fewer classes than the corpus has."""
    for fold in folds:
        for partition in SCORED_PARTITIONS:
            classes = fold.models.classes(partition)
            if classes is not None and classes[0] < classes[1]:
                logger.warning(
                    "%s, %s: %d of the %d classes occur in the gold standard; averages run over these",
                    experiment_name(name, "", fold.name),
                    partition,
                    *classes,
                )


def _grid(summary: pd.DataFrame, chosen: Counter[Point], metric: str) -> pd.DataFrame:
    """Return the headline score of all settings, dev and test side by side."""
    here = summary[summary["metric"] == metric]
    by = ["system", "setting"]
    table = here.groupby(by, sort=True)["seeds"].max().reset_index().assign(metric=metric)
    for partition in SCORED_PARTITIONS:
        columns = {"mean": f"{partition}_mean", "std": f"{partition}_std"}
        part = here.loc[here["partition"] == partition, [*by, *columns]].rename(columns=columns)
        table = table.merge(part, how="left", on=by)
    points = [Point(*key) for key in zip(table["system"], table["setting"], strict=True)]
    order = sorted(range(len(points)), key=lambda row: place(points[row]))
    return table.assign(selected=[chosen[point] for point in points]).iloc[order]


def _warn_of_missing_gold(name: str, selected: pd.DataFrame, metric: str) -> None:
    for partition, n in selected[selected["metric"] == metric].groupby("partition")["n"].max().items():
        if n == 0:
            logger.warning(
                "%s: partition %s has no gold standard: predictions, but no scores", name, partition
            )


def _warn_of_missing_predictions(name: str, selected: pd.DataFrame) -> None:
    for partition, rows in selected.groupby("partition"):
        for system in sorted(set(selected["system"]) - set(rows["system"])):
            logger.warning(
                "%s: %s predicts no recording of %s, since none has all modalities that it needs: no row in "
                "results.csv",
                name,
                system,
                partition,
            )
