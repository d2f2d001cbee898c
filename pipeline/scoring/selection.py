"""Scores of the whole grid -> one point (alpha, beta) per system, chosen on dev.

The four systems are four regions of the grid. Each is represented by its point with the best dev
headline score (mean over seeds). Raw and post-processed predictions select separately, each on dev
scores of its own kind; test scores are never looked at. Systems with more grid points have more to choose
from, so their dev score is optimistic: only test compares systems.
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from pipeline.scoring.predictions import SYSTEMS


class Point(NamedTuple):
    """The grid point that stands for a system."""

    system: str
    alpha: float
    beta: float


def over_seeds(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds (n - 1; NaN for one seed) per grid point.

    scores: as in `pipeline.scoring.scored_models.ScoredModels`. Result: system, alpha, beta, partition,
    metric, mean, std, seeds, n (rows scored with one seed). A score that is undefined for one seed is
    undefined.
    """
    by = ["system", "alpha", "beta", "partition", "metric"]
    groups = scores.groupby(by, sort=True)
    table = groups["value"].agg(
        mean=lambda values: values.mean(skipna=False), std=lambda values: values.std(skipna=False)
    )
    return table.assign(seeds=groups["seed"].nunique(), n=groups["n"].max()).reset_index()


def select(summary: pd.DataFrame, metric: str) -> list[Point]:
    """Return the point of each system with the highest dev mean of `metric`.

    summary: from `over_seeds`. Among equals, and where dev has no gold standard, the point with the
    smallest alpha, then beta. Systems without a grid point are left out.
    """
    dev = summary[(summary["partition"] == "dev") & (summary["metric"] == metric)]
    grid = summary[["system", "alpha", "beta"]].drop_duplicates()
    merged = grid.merge(dev[["system", "alpha", "beta", "mean"]], how="left", on=["system", "alpha", "beta"])
    merged["mean"] = merged["mean"].fillna(float("-inf"))
    points = []
    for system in SYSTEMS:
        of_system = merged[merged["system"] == system].sort_values(
            ["mean", "alpha", "beta"], ascending=[False, True, True]
        )
        if len(of_system):
            best = of_system.iloc[0]
            points.append(Point(system, float(best["alpha"]), float(best["beta"])))
    return points


def of_point(table: pd.DataFrame, point: Point) -> pd.DataFrame:
    """Return the rows of a table with columns system, alpha, beta that belong to a point."""
    here = (table["system"] == point.system) & (table["alpha"] == point.alpha) & (table["beta"] == point.beta)
    return table[here]
