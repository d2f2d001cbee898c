"""Scores of every fold -> their means over folds, with the spread over seeds and over folds told apart.

Each fold trains, chooses its systems' points on its own dev and is scored on its own test (nested: no
choice ever sees the test it is judged by). A score of a cross-validation is the mean over folds of the mean
over seeds. Its `std` is over seeds, as everywhere: of the mean over folds that each seed gives, so how much
another training run would change the result. Its `std_folds` is over folds: of the mean over seeds that each
fold gives, so how much the score differs between the speakers tested; test sets of folds are small, so it is
mostly the larger one. It is no standard error: training sets of folds overlap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from pipeline.scoring.scored_models import ScoredModels
from pipeline.scoring.selection import Point, of_point, over_seeds, select

BY_FOLD = "by fold"
"""In place of a setting: folds chose different ones."""
LEFT_OUT = "left out"
"""In place of a setting: each unit of dev is scored at the settings that the other units and seeds chose."""


class ScoredFold(NamedTuple):
    """One fold of one experiment and kind of predictions.

    name: empty where there is one fold. summary: mean and spread over seeds of all grid points. points: the
    one of each system, chosen on this fold's dev.
    """

    name: str
    models: ScoredModels
    summary: pd.DataFrame
    points: list[Point]

    @classmethod
    def of(cls, name: str, models: ScoredModels, metric: str) -> ScoredFold:
        """Choose the points of a fold on its dev by `metric`."""
        summary = over_seeds(models.scores)
        return cls(name, models, summary, select(summary, metric))

    def selected(self) -> pd.DataFrame:
        """Return the rows of `summary` that belong to the points."""
        return pd.concat([of_point(self.summary, point) for point in self.points])


def systems_over_folds(folds: Sequence[ScoredFold]) -> pd.DataFrame:
    """Return the scores of each system over folds, each fold at its own point.

    Result: system, setting (`BY_FOLD` where folds chose differently), partition, metric, mean, std, seeds, n
    (rows scored with one seed, all folds), folds (with gold standard in that partition), std_folds.
    """
    chosen = chosen_scores(folds)
    settings = chosen.groupby("system")["setting"]
    agreed = settings.first().where(settings.nunique() == 1, BY_FOLD)
    table = over_folds(chosen, ["system", "partition", "metric"])
    return table.merge(agreed, left_on="system", right_index=True)


def chosen_scores(folds: Sequence[ScoredFold]) -> pd.DataFrame:
    """Return the scores of every seed of the systems' points, with the name of the `fold`."""
    return pd.concat(
        [
            of_point(fold.models.scores, point).assign(fold=fold.name)
            for fold in folds
            for point in fold.points
        ]
    )


def grid_over_folds(folds: Sequence[ScoredFold]) -> tuple[pd.DataFrame, Counter[Point]]:
    """Return the scores of every grid point over folds, and how many folds chose it.

    Columns as of `systems_over_folds`, with the point's own setting. Dev scores of a point are means
    over folds of which some chose on that very dev: to look at, not to choose by.
    """
    scores = pd.concat([fold.models.scores.assign(fold=fold.name) for fold in folds])
    table = over_folds(scores, ["system", "setting", "partition", "metric"])
    return table, Counter(point for fold in folds for point in fold.points)


def read_table(path: Path, kind: Literal["result", "folds", "left_out"]) -> pd.DataFrame:
    """Read one of the tables that the stage evaluate wrote.

    kind: the rows of the result, or those of single folds, or, of results.csv, those of dev whose settings
    were chosen on other units of dev. `fold` is text, empty in the rows of the result; without a
    cross-validation there are no others. `setting` is text and may be empty too.
    """
    table = pd.read_csv(path, dtype={"fold": str, "setting": str})
    texts = [name for name in ("fold", "setting") if name in table]
    table[texts] = table[texts].fillna("")
    left_out = table["setting"] == LEFT_OUT if "setting" in table else pd.Series(False, index=table.index)
    wanted = left_out if kind == "left_out" else ~left_out & ((table["fold"] == "") == (kind == "result"))
    return table[wanted].reset_index(drop=True)


def over_folds(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Average `value` over folds and seeds; scores: one row per fold, seed and key of `by`, with `n`.

    Result: the columns of `by`, seeds, mean, std (over seeds), std_folds, folds, n. A fold without gold
    standard (n = 0) is left out; a score that is undefined for one model is undefined.
    """
    keys = scores.groupby(by, sort=True)["seed"].nunique().rename("seeds")
    known = scores[scores["n"] > 0]
    per_seed = known.groupby([*by, "seed"])["value"].agg(_mean).groupby(by)
    per_fold = known.groupby([*by, "fold"])["value"].agg(_mean).groupby(by)
    table = pd.DataFrame(
        {
            "mean": per_fold.agg(_mean),
            "std": per_seed.agg(_std),
            "std_folds": per_fold.agg(_std),
            "folds": per_fold.size(),
            "n": known.groupby([*by, "fold"])["n"].max().groupby(by).sum(),
        }
    )
    table = pd.DataFrame(keys).join(table)
    return table.fillna({"folds": 0, "n": 0}).astype({"folds": int, "n": int}).reset_index()


def _mean(values: pd.Series) -> float:
    return float(values.mean(skipna=False))


def _std(values: pd.Series) -> float:
    return float(values.std(skipna=False))
