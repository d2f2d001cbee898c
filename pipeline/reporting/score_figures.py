"""Grids, confusion counts and calibration -> figures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from pipeline.catalogue.systems import AXES, SYSTEMS, in_order, label
from pipeline.learning.system import setting_values
from pipeline.reporting.drawing import (
    DASHES,
    ON_DARK,
    ON_LIGHT,
    SYSTEM_COLOURS,
    NotDrawnError,
    Panel,
    new_figure,
)
from pipeline.reporting.settings_shown import on_map
from pipeline.reporting.wording import METRIC_NAMES, number

MOST_CELLS = 8
"""Columns beyond which numbers in the cells of a map would not be legible."""
MEANS = ["dev_mean", "test_mean"]


def map_range(grid: pd.DataFrame, interval: float) -> tuple[float, float]:
    """Return the range of colours of all maps of an experiment, lowest and highest score.

    It is never narrower than the interval of a difference is wide (or, where there is none, than four
    standard deviations over seeds), so that differences that mean nothing do not look like an effect.

    Raises:
        NotDrawnError: neither partition has scores.
    """
    if grid[MEANS].isna().all(axis=None):
        raise NotDrawnError("neither dev nor test has scores")
    low, high = float(np.nanmin(grid[MEANS])), float(np.nanmax(grid[MEANS]))
    width = interval
    if np.isnan(width):
        spreads = grid[["dev_std", "test_std"]].to_numpy(float)
        width = 4 * float(np.nanmedian(spreads)) if not np.isnan(spreads).all() else 0.0
    missing = max(0.0, width - (high - low)) / 2
    return low - missing, high + missing


def setting_maps(grid: pd.DataFrame, metric: str, interval: float = float("nan")) -> dict[str, Figure]:
    """Draw the headline score over the settings of systems that share a grid, dev above test.

    The values of the settings are the axes: the first downwards, a second to the right; a value that a system
    lacks is 0. Framed are points that were selected, in any fold, among several of a system. Settings that
    are not `on_map` are left out; grids of one point, or of more than two values, have no map.

    grid: rows of scores/grid.csv of one experiment and kind. interval: how wide that of a difference is.
    Result: name of the grid -> figure.

    Raises:
        NotDrawnError: neither partition has scores.
    """
    grid = grid[[on_map(*key) for key in zip(grid["system"], grid["setting"], strict=True)]]
    limits = map_range(grid, interval)
    figures = {}
    of_grid = grid["system"].map(lambda system: SYSTEMS[str(system)].grid)
    choices = grid.groupby("system")["setting"].transform("nunique") > 1
    grid = grid.assign(framed=(grid["selected"] > 0) & choices)
    for name in dict.fromkeys(SYSTEMS[system].grid for system in in_order(grid["system"])):
        here = grid[of_grid == name]
        values = [setting_values(str(setting)) for setting in here["setting"]]
        axes_of = sorted({key: None for own in values for key in own})
        scored = here[MEANS].notna().any(axis=None)
        if scored and len(here) > 1 and len(axes_of) == 2:
            down, right = axes_of
            places = {
                "down": [own.get(down, 0.0) for own in values],
                "right": [own.get(right, 0.0) for own in values],
            }
            figures[name] = _map(here.assign(**places), down, right, metric, limits)
    return figures


def _map(grid: pd.DataFrame, down: str, right: str, metric: str, limits: tuple[float, float]) -> Figure:
    """Draw one map; grid: with the columns down and right. The axes are called `down` and `right`."""
    rows, columns = sorted(grid["down"].unique()), sorted(grid["right"].unique())
    parts = [part for part in ("dev", "test") if grid[f"{part}_mean"].notna().any()]
    figure = new_figure(0.75 + len(parts) * (0.55 + 0.36 * max(2, len(rows))))
    panels = figure.subplots(len(parts), 1, squeeze=False)[:, 0]
    low, high = limits
    for axes, part in zip(panels, parts, strict=True):
        # systems may share a point: they have the same score there
        values = grid.pivot_table(index="down", columns="right", values=f"{part}_mean", dropna=False)
        image = axes.imshow(values, cmap="cividis", vmin=low, vmax=high, aspect="auto", origin="lower")
        axes.set_xticks(range(len(columns)), [f"{value:g}" for value in columns])
        axes.set_yticks(range(len(rows)), [f"{value:g}" for value in rows])
        figure.colorbar(image, ax=axes, label=METRIC_NAMES[metric], aspect=8)
        axes.set_ylabel(AXES.get(down, down))
        axes.set_title(part)
        _spineless(axes)
        if len(columns) <= MOST_CELLS:
            _annotate(axes, values.to_numpy(), low + 0.55 * (high - low))
        for row in grid[grid["framed"]].to_dict("records"):
            corner = (columns.index(row["right"]) - 0.5, rows.index(row["down"]) - 0.5)
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=ON_DARK, lw=3.5, clip_on=False))
            axes.add_patch(Rectangle(corner, 1, 1, fill=False, ec=ON_LIGHT, lw=1.5, clip_on=False))
    panels[-1].set_xlabel(AXES.get(right, right))
    return figure


def confusion(counts: NDArray[np.float64], names: Sequence[str], title: str, models: int) -> Figure:
    """Draw a confusion matrix: share of each true class and, below it, how many.

    counts: (gold, predicted), summed over `models`; shown is the mean of one.
    """
    figure = new_figure(4.5)
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
    small = 9 if len(names) <= MOST_CELLS else 6
    for (row, column), value in np.ndenumerate(shares):
        colour = ON_DARK if value > 0.55 else ON_LIGHT
        text = f"{value:.2f}".removeprefix("0")
        axes.text(column, row - 0.13, text, ha="center", va="center", fontsize=small, color=colour)
        many = float(counts[row, column]) / max(models, 1)
        many_text = f"{many:.0f}" if many == round(many) else f"{many:.1f}"
        axes.text(column, row + 0.24, many_text, ha="center", va="center", fontsize=0.7 * small, color=colour)
    return figure


def reliability_figure(
    curves: pd.DataFrame, system: str, several: bool = False
) -> tuple[Figure, list[Panel]]:
    """Draw how often predictions are right against how sure they are, before and after calibration.

    On the diagonal both agree. curves: rows of scores/reliability.csv of one experiment and system.
    several: of labels, each by itself, rather than of the one class that is named.
    """
    figure = new_figure(3.9)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#444444", lw=0.8)
    lines = []
    for after, own in curves.groupby("calibrated", sort=True):
        error = float((own["share"] * (own["accuracy"] - own["confidence"]).abs()).sum())
        name = "calibrated" if after else "before"
        colour = SYSTEM_COLOURS[system] if after else "#444444"
        (line,) = axes.plot(
            own["confidence"], own["accuracy"], color=colour, ls=DASHES[0 if after else 1],
            label=f"{label(system)}, {name} (ECE {number(error)})",
        )  # fmt: skip
        axes.scatter(own["confidence"], own["accuracy"], s=6 + 90 * own["share"], color=colour)
        lines.append((line, name))
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("probability of a label" if several else "probability of the named class")
    axes.set_ylabel("share of utterances that have it" if several else "share of right predictions")
    figure.legend(loc="outside upper left", ncols=1, handlelength=2.4)
    return figure, [Panel(axes, lines, "probability")]


def _annotate(axes: Axes, values: NDArray[np.float64], middle: float) -> None:
    for (row, column), value in np.ndenumerate(values):
        if not np.isnan(value):
            colour = ON_LIGHT if value > middle else ON_DARK
            axes.text(column, row, number(float(value)), ha="center", va="center", fontsize=9, color=colour)


def _spineless(axes: Axes) -> None:
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
