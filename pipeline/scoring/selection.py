"""Scores of all models -> one point (system and setting) per system, chosen on dev.

Each system is represented by its setting with the best dev
headline score (mean over seeds). Raw and post-processed predictions select separately, each on dev
scores of its own kind; test scores are never looked at. Systems with more settings have more to choose
from, so their dev score is optimistic: only test compares systems.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from pipeline.catalogue.systems import in_order, rank
from pipeline.learning.system import setting_rank


class Point(NamedTuple):
    """The setting that stands for a system."""

    system: str
    setting: str


def over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds (n - 1; NaN for one seed) per point.

    scores: as in `pipeline.scoring.scored_models.ScoredModels`. Result: system, setting, partition,
    metric, mean, std, seeds, n (rows scored with one seed). A score that is undefined for one seed is
    undefined.
    """
    by = ["system", "setting", "partition", "metric"]
    groups = scores.groupby(by, sort=True)
    table = groups["value"].agg(
        mean=lambda values: values.mean(skipna=False), std=lambda values: values.std(skipna=False)
    )
    return table.assign(seeds=groups["seed"].nunique(), n=groups["n"].max()).reset_index()


def select(summary: pd.DataFrame, metric: str) -> list[Point]:
    """Return the point of each system with the highest dev mean of `metric`.

    summary: from `over_seeds`. Among equals, and where dev has no gold standard, the setting whose values are
    the smallest, the first one first. Systems without a model are left out.
    """
    dev = summary[(summary["partition"] == "dev") & (summary["metric"] == metric)]
    means = {Point(*key): mean for *key, mean in dev[["system", "setting", "mean"]].itertuples(index=False)}
    every = {Point(*key) for key in summary[["system", "setting"]].itertuples(index=False)}

    def best_first(point: Point) -> tuple[float, tuple[tuple[str, float], ...]]:
        mean = means.get(point, float("nan"))
        return (float("inf") if pd.isna(mean) else -mean), setting_rank(point.setting)

    return [
        min((point for point in every if point.system == system), key=best_first)
        for system in in_order(point.system for point in every)
    ]


def of_point(table: pd.DataFrame, point: Point) -> pd.DataFrame:
    """Return the rows of a table with the columns system and setting that belong to a point."""
    return table[(table["system"] == point.system) & (table["setting"] == point.setting)]


def place(point: Point) -> tuple[int, tuple[tuple[str, float], ...]]:
    """Return the sort key of a point: systems as in their table, settings by their values."""
    return rank(point.system), setting_rank(point.setting)
