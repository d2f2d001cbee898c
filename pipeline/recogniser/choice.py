"""Scores of all systems on dev -> the one that is exported, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import BY_WORDS, REFERENCE, SYSTEMS, rank
from pipeline.catalogue.tasks import TASKS
from pipeline.learning.prediction_file import class_codes, score_column
from pipeline.learning.thresholds import fit_thresholds
from pipeline.params import BEST_ALONE, Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.scoring.averaged import average
from pipeline.scoring.folds import read_table
from pipeline.scoring.headline import HEADLINE
from pipeline.scoring.plot_sources import read_points
from pipeline.scoring.selection import Point
from pipeline.scoring.task_scores import TASK_SCORES

METRICS = {
    "ccc": "CCC",
    "f1_macro_pr": "F1",
    "uar": "UAR",
    "accuracy": "accuracy",
    "wacc": "WAcc",
    "f1_binary": "F1 of labels",
    "hamming": "share of right answers",
}
"""Scores as sentences and tables for people call them."""


class Choice(NamedTuple):
    """A system and its setting, and a sentence on how it was chosen."""

    system: str
    setting: str
    why: str


def choose(paths: Paths, corpus: Corpus, scenario: Scenario, dimension: str, fold: str) -> Choice | None:
    """Return the system of an experiment that is exported; None where none can be.

    That is where every one needs all modalities, or did not learn all classes.

    The setting is the one that stands for the system in the report: the best on dev among predictions as
    they are shown, post-processed for traces. Systems are compared by what a recogniser gives out, the mean
    over their seeds: some gain from it and some, of which all seeds are alike, do not. Where dev has no gold
    standard nothing can be chosen without a look at test: then it is the reference, or failing that the first
    system of the table that can be.
    """
    points = {
        row.system: (row.setting, row.dev_mean) for row in _selected(paths, corpus, scenario, dimension, fold)
    }
    metric = METRICS[HEADLINE[corpus.task]]
    wanted = corpus.export.system
    if wanted != BEST_ALONE:
        setting, mean = points[wanted]
        how = (
            "has no gold standard on dev to be chosen by"
            if pd.isna(mean)
            else f"is its best on dev ({metric} {mean:.3f})"
        )
        return Choice(wanted, setting, f"export.system asks for {wanted}; its setting {how}.")
    # what is chosen on a dev that lacks recordings of some classes has an easier one
    partly = BY_WORDS if corpus.learning.emotion_words.partly_seen else ()
    alone = [
        name for name in sorted(points, key=rank)
        if SYSTEMS[name].needs == "target" and SYSTEMS[name].control_of is None and name not in partly
    ]  # fmt: skip
    if not alone:
        return None
    scored = [name for name in alone if not pd.isna(points[name][1])]
    if not scored:
        name = REFERENCE if REFERENCE in alone else alone[0]
        return Choice(
            name, points[name][0],
            f"dev has no gold standard, so nothing was chosen: {name} at its smallest setting.",
        )  # fmt: skip
    file = paths.predictions / f"{experiment_name(scenario.name, dimension, fold)}.parquet"
    together = _of_means(file, corpus, [Point(name, points[name][0]) for name in scored])
    best = max(scored, key=lambda name: together[name])  # among equals the first of the table
    reached = f"{metric} of the mean over seeds on dev ({together[best]:.3f})"
    if len(scored) == 1:
        reason = f"the only system that needs {scenario.target} alone and is no control; {reached}."
    else:
        reason = (
            f"the highest {reached} among the {len(scored)} systems that need {scenario.target} alone and "
            "are no controls; a system with more settings has more to choose from."
        )
    return Choice(best, points[best][0], reason)


def _of_means(file: Path, corpus: Corpus, points: Sequence[Point]) -> dict[str, float]:
    """Return the score on dev of the mean over seeds, by system."""
    found = {}
    for point, rows in read_points(file, points).items():
        dev = rows[rows["partition"] == "dev"]
        mean = average(dev)
        if TASKS[corpus.task].several:
            mean = average(dev, True, np.array(thresholds_of(mean, corpus.learning.threshold)))
        scores = TASK_SCORES[corpus.task].values(mean, class_codes(mean.columns))
        found[point.system] = scores[HEADLINE[corpus.task]]
    return found


def thresholds_of(dev: pd.DataFrame, threshold: Literal["dev"] | float) -> tuple[float, ...]:
    """Return above which mean probability each class is predicted, where there may be several.

    dev: rows of dev as `average` returns them.
    """
    names = [score_column(code) for code in class_codes(dev.columns)]
    if threshold != "dev":
        return (threshold,) * len(names)
    found = fit_thresholds(dev[names].to_numpy(np.float64), dev["gold"].to_numpy(np.float64))
    return tuple(found.tolist())


def _selected(
    paths: Paths, corpus: Corpus, scenario: Scenario, dimension: str, fold: str
) -> Iterator[pd.Series]:
    """Give the rows of grid.csv of the settings that evaluation chose for each system."""
    table = read_table(paths.grid_scores, "folds" if fold else "result")
    here = table[
        (table["target"] == scenario.target)
        & (table["auxiliary"] == scenario.auxiliary)
        & (table["dimension"] == dimension)
        & (table["postprocessed"] == int(TASKS[corpus.task].finished))
        & (table["fold"] == fold)
        & (table["selected"] > 0)
    ]
    for _, row in here.iterrows():
        yield row
