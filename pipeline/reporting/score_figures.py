"""Curves, grids and confusion counts -> figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pipeline.learning.system import setting_values
from pipeline.learning.systems.table import AXES, SYSTEMS, in_order, label
from pipeline.reporting.drawing import SYSTEM_COLOURS, NotDrawnError, new_figure
from pipeline.reporting.wording import METRIC_NAMES, number

MOST_CELLS = 8
"""Columns beyond which numbers in the cells of a map would not be legible."""


def learning_curves(curves: pd.DataFrame, points: pd.DataFrame, metric: str) -> Figure:
    """Draw dev score and target loss by epoch: mean over seeds, and the range of the seeds as a band.

    Without any dev score the loss alone is drawn. curves: as written by the train stage, with `fold`. points:
    fold, system, setting of the selected points. With several folds mean and band run over the seeds of all.
    """
    columns = {"loss_target": "loss of the target"}
    if curves["dev_score"].notna().any():
        columns = {"dev_score": f"{METRIC_NAMES[metric]} on dev"} | columns
    figure = new_figure(2.3 * len(columns))
    panels = dict(
        zip(columns, figure.subplots(len(columns), 1, sharex=True, squeeze=False)[:, 0], strict=True)
    )
    for system, own in points.groupby("system", sort=False):
        here = own[["fold", "system", "setting"]].merge(curves, on=["fold", "system", "setting"])
        if here.empty:  # not trained in epochs
            continue
        for column, axes in panels.items():
            values = here.pivot_table(index="epoch", columns=["fold", "seed"], values=column, dropna=False)
            colour, name = SYSTEM_COLOURS[str(system)], label(str(system))
            axes.fill_between(
                values.index, values.min(axis=1), values.max(axis=1), color=colour, alpha=0.15, lw=0
            )
            axes.plot(values.index, values.mean(axis=1), color=colour, label=name)
    for column, axes in panels.items():
        axes.set_ylabel(columns[column])
    every = list(panels.values())
    every[-1].set_xlabel("epoch")
    every[0].legend(
        ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), columnspacing=1.0, handlelength=1.4
    )
    return figure


def setting_maps(grid: pd.DataFrame, metric: str) -> dict[str, Figure]:
    """Draw the headline score over the settings of systems that share a grid, dev above test.

    The values of the settings are the axes: the first downwards, a second to the right; a value that a system
    lacks is 0. Points that were selected, in any fold, are framed. Grids of one point, or of more than two
    values, have no map.

    grid: rows of scores/grid.csv of one experiment and kind. Result: name of the grid -> figure.

    Raises:
        NotDrawnError: neither partition has scores.
    """
    if grid[["dev_mean", "test_mean"]].isna().all(axis=None):
        raise NotDrawnError("neither dev nor test has scores")
    figures = {}
    of_grid = grid["system"].map(lambda system: SYSTEMS[str(system)].grid)
    for name in dict.fromkeys(SYSTEMS[system].grid for system in in_order(grid["system"])):
        here = grid[of_grid == name]
        values = [setting_values(str(setting)) for setting in here["setting"]]
        axes_of = sorted({key: None for own in values for key in own})
        scored = here[["dev_mean", "test_mean"]].notna().any(axis=None)
        if scored and len(here) > 1 and len(axes_of) in (1, 2):
            down, *right = axes_of
            places = {
                "down": [own.get(down, 0.0) for own in values],
                "right": [own.get(right[0], 0.0) if right else 0.0 for own in values],
            }
            figures[name] = _map(here.assign(**places), down, right[0] if right else "", metric)
    return figures


def _map(grid: pd.DataFrame, down: str, right: str, metric: str) -> Figure:
    """Draw one map; grid: with the columns down and right. The axes are called `down` and `right`."""
    rows, columns = sorted(grid["down"].unique()), sorted(grid["right"].unique())
    parts = [part for part in ("dev", "test") if grid[f"{part}_mean"].notna().any()]
    figure = new_figure(0.75 + len(parts) * (0.55 + 0.36 * max(2, len(rows))))
    panels = figure.subplots(len(parts), 1, squeeze=False)[:, 0]
    for axes, part in zip(panels, parts, strict=True):
        values = grid.pivot_table(index="down", columns="right", values=f"{part}_mean", dropna=False)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        image = axes.imshow(values, cmap="cividis", vmin=low, vmax=high, aspect="auto", origin="lower")
        axes.set_xticks(range(len(columns)), [f"{value:g}" if right else "" for value in columns])
        axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
        figure.colorbar(image, ax=axes, label=METRIC_NAMES[metric], aspect=8)
        axes.set_ylabel(AXES.get(down, down))
        axes.set_title(part)
        _spineless(axes)
        if len(columns) <= MOST_CELLS:
            _annotate(axes, values.to_numpy(), low + 0.55 * (high - low))
        for row in grid[grid["selected"] > 0].to_dict("records"):
            corner = (columns.index(row["right"]) - 0.5, rows.index(row["down"]) - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec="white", lw=3.5, clip_on=False))
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec="black", lw=1.5, clip_on=False))
    panels[-1].set_xlabel(AXES.get(right, right))
    return figure


def confusion(counts: NDArray[np.float64], names: Sequence[str], title: str) -> Figure:
    """Draw a confusion matrix as shares of each true class; counts: (gold, predicted)."""
    figure = new_figure(4.3)
    axes = figure.subplots()
    totals = counts.sum(1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts, dtype=float), where=totals > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("gold standard")
    axes.set_title(title)
    _spineless(axes)
    _annotate(axes, shares, 0.55, dark_is_high=True, digits=2)
    return figure


def _annotate(
    axes: Axes, values: NDArray[np.float64], middle: float, dark_is_high: bool = False, digits: int = 3
) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            text = number(float(value)) if digits == 3 else f"{value:.2f}".removeprefix("0")
            white = (value > middle) == dark_is_high
            axes.text(
                column, row, text, ha="center", va="center", fontsize=9, color="white" if white else "black"
            )


def _spineless(axes: Axes) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
