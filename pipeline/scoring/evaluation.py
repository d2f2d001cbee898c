"""Raw and final predictions of a corpus -> results.csv, metrics.json, grid, significance, plots."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name
from pipeline.running.progress import tracked
from pipeline.scoring.class_scores import CLASS_SCORE_COLUMNS, class_names, class_scores
from pipeline.scoring.comparison import COMPARISON_COLUMNS, compare
from pipeline.scoring.folds import LEFT_OUT, ScoredFold, grid_over_folds, systems_over_folds
from pipeline.scoring.groups import GROUP_COLUMNS, group_scores
from pipeline.scoring.headline import HEADLINE, headline, metrics
from pipeline.scoring.label_shares import label_share_scores
from pipeline.scoring.metrics import METRICS
from pipeline.scoring.plot_sources import write_plot_sources
from pipeline.scoring.refitted import with_refitted
from pipeline.scoring.scored_models import NO_GROUPS, SCORED_PARTITIONS, Groups, ScoredModels, score_models
from pipeline.scoring.selection import Point, place
from pipeline.scoring.system_intervals import INTERVAL_COLUMNS, system_intervals
from pipeline.scoring.uncertainty import RELIABILITY_COLUMNS, UNCERTAINTY_COLUMNS, Fold, uncertainty
from pipeline.scoring.verdict import with_holm
from pipeline.scoring.word_scores import WORD_COLUMNS, word_scores

logger = logging.getLogger(__name__)

ORIGIN = ("target", "auxiliary", "dimension")
EXPERIMENT = (*ORIGIN, "postprocessed")
"""What a row of every table is about, whatever else it says."""
RESULT_COLUMNS = (
    "target", "auxiliary", "dimension", "system", "setting", "needs", "postprocessed", "partition", "metric",
    "mean", "std", "seeds", "n", "fold", "folds", "std_folds", "selection",
)  # fmt: skip
GRID_COLUMNS = (
    "target", "auxiliary", "dimension", "system", "setting", "postprocessed", "selected", "metric",
    "dev_mean", "dev_std", "test_mean", "test_std", "seeds", "fold",
)  # fmt: skip


def evaluate(paths: Paths, corpus: Corpus, speakers: Mapping[str, str], groups: Groups = NO_GROUPS) -> None:
    """Score the predictions of a corpus and write every table of its reports directory.

    speakers: recording -> speaker (manifest). groups: column -> recording -> group, of those in
    `evaluation.groups`, whose scores are in `scores/groups.csv` (`pipeline.scoring.groups`).

    `results.csv` has one row per system, kind (raw or post-processed), partition and metric, at the system's
    setting chosen on dev among predictions of the same kind; `needs` says what it predicts from, the `target`
    modality alone or `all`. A partition without gold standard has rows with an empty mean and n = 0; a system
    has no row for a partition of which it predicts no recording, since none has all modalities that it needs:
    a warning says so. `selection` says by what the setting was chosen: `dev`, or in further rows of dev's
    headline score `leave_one_out`, where each recording (or speaker) is scored at the settings (and with the
    chains) that the others chose (`pipeline.scoring.left_out`): the one score of dev that is not too good.

    `scores/intervals.csv` has the interval of each system's score, `scores/grid.csv` the headline score of
    all settings, `scores/significance.csv` every system against the reference and against its own controls,
    corrected together (`pipeline.scoring.verdict`), `metrics.json` the headline scores for `dvc
    metrics`.

    `scores/uncertainty.csv` says what calibrates the mean over seeds, fitted on dev, and how well that holds
    (`pipeline.scoring.uncertainty`); of classes `scores/reliability.csv` has the reliability curves.

    `scores/classes.csv` has the scores by class, where an utterance may have several labels
    (`pipeline.scoring.class_scores`).

    `scores/words.csv` has the scores of each class by systems that name them by words, where there are some
    (`pipeline.scoring.word_scores`).

    `scores/label_shares.csv` has the scores at every share of labelled speakers, where there are some
    (`pipeline.scoring.label_shares`).

    With a cross-validation the rows of each fold carry its name in `fold`, each with the settings chosen on
    that fold's dev. Rows whose `fold` is empty are the result: in results.csv the mean over folds of the
    mean over seeds (`std` over seeds, `std_folds` over folds, see `pipeline.scoring.folds`), the setting `by
    fold` where folds chose differently; in grid.csv the same for every setting, with `selected` the number
    of folds that chose it; in intervals.csv and significance.csv scores and tests on the test predictions of
    all folds together, each speaker once. `metrics.json` has the means over folds.

    Raises:
        PredictionsError: a prediction file is missing or does not keep the contract.
        ValueError: a column of `evaluation.groups` is not in `groups`; a prediction is not finite where there
            is gold standard.
    """
    results, grids, comparisons, intervals, of_groups = [], [], [], [], []
    uncertain, reliability, of_classes = [], [], []
    of_words: list[dict[str, Any]] = []
    lacking = [column for column in corpus.evaluation.groups if column not in groups]
    if lacking:
        raise ValueError(
            f"{paths.groups}: groups.csv has no column {', '.join(lacking)}, which evaluation.groups names; "
            "the stage register writes it"
        )
    groups = {column: groups[column] for column in corpus.evaluation.groups}
    task = TASKS[corpus.task]
    final = int(task.finished)
    metric = HEADLINE[corpus.task]
    unit = unit_name(speakers, corpus.grid.utterances)
    classes = class_names(paths, corpus) if task.several else ()
    for scenario in tracked(corpus.scenarios, "evaluate", "scenarios", len(corpus.scenarios)):
        for dimension in corpus.dimensions:
            name = experiment_name(scenario.name, dimension)
            origin = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension}
            points: dict[int, dict[str, Any]] = {}
            folds: list[ScoredFold] = []
            for postprocessed in (0, 1):
                kind = origin | {"postprocessed": postprocessed}
                if not (postprocessed and corpus.grid.utterances):  # of which no chain changes anything
                    folds = [
                        ScoredFold.of(
                            fold, scored(paths, file, corpus, postprocessed, speakers, groups), metric
                        )
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
            if task.several:
                paths_of = [paths.predictions / file for _, file in _files(scenario.name, dimension, corpus)]
                found = class_scores(folds, paths_of, classes, corpus.evaluation, unit)
                of_classes += [origin | row for row in found]
            found = word_scores(of_folds, scenario.name, dimension, paths, corpus, speakers, unit)
            of_words += [origin | row for row in found]
            sure = uncertainty(of_folds, corpus, speakers, unit, classes)
            uncertain += [origin | row for row in sure.rows]
            reliability += [origin | row for row in sure.reliability]
    # the empty tables give their columns to a corpus without scenarios
    every_result = pd.concat(results) if results else pd.DataFrame(columns=RESULT_COLUMNS)
    every_result["needs"] = [SYSTEMS[system].needs for system in every_result["system"]]
    every_point = pd.concat(grids) if grids else pd.DataFrame(columns=GRID_COLUMNS)
    ranks = {"system": tuple(SYSTEMS), "metric": METRICS[corpus.task], "fold": ("", *corpus.partitions.names)}
    _write(paths.results, _ordered(every_result, ranks)[list(RESULT_COLUMNS)])
    _write(paths.scores / "grid.csv", every_point[list(GRID_COLUMNS)])
    columns = [*EXPERIMENT, *INTERVAL_COLUMNS, "fold"]
    _write(paths.scores / "intervals.csv", pd.DataFrame(intervals, columns=columns))
    _write(paths.scores / "groups.csv", pd.DataFrame(of_groups, columns=[*EXPERIMENT, *GROUP_COLUMNS]))
    compared = pd.DataFrame(comparisons, columns=[*EXPERIMENT, *COMPARISON_COLUMNS, "fold"])
    _write(paths.scores / "significance.csv", with_holm(compared, final))
    columns = [*ORIGIN, *UNCERTAINTY_COLUMNS[corpus.task]]
    _write(paths.uncertainty, pd.DataFrame(uncertain, columns=columns))
    if task.classes:
        columns = [*ORIGIN, *RELIABILITY_COLUMNS]
        _write(paths.reliability, pd.DataFrame(reliability, columns=columns))
    if task.several:
        _write(paths.class_scores, pd.DataFrame(of_classes, columns=[*ORIGIN, *CLASS_SCORE_COLUMNS]))
    paths.word_scores.unlink(missing_ok=True)
    if of_words:
        _write(paths.word_scores, pd.DataFrame(of_words, columns=[*ORIGIN, *WORD_COLUMNS]))
    paths.label_shares.unlink(missing_ok=True)
    if len(corpus.label_draws) > 1:
        _write(paths.label_shares, label_share_scores(paths, corpus, speakers))
    shown = json.dumps(metrics(headline(paths.results, corpus.task)), indent=2)
    paths.metrics.write_text(shown + "\n", encoding="utf-8")


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


def unit_name(speakers: Mapping[str, str], utterances: bool) -> str:
    """Say in a word what the units of intervals are: `speaker`, or `recording` where each speaker has one.

    Utterances of one speaker, and sessions of one speaker, are not independent.
    """
    counts = Counter(speaker for speaker in speakers.values() if speaker)
    if not counts:
        return "utterance" if utterances else "recording"
    return "recording" if max(counts.values()) == 1 else "speaker"


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


def _ordered(table: pd.DataFrame, ranks: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Sort by experiment, kind, fold, system, partition and metric; ranks: columns with their own order."""
    by = [*EXPERIMENT, "fold", "system", "partition", "metric", "selection"]
    return table.sort_values(
        by, key=lambda names: names.map(ranks[str(names.name)].index) if names.name in ranks else names
    )


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


def _write(path: Path, table: pd.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")
