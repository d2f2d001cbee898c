"""Learning curves, and scores over the values of a setting -> figures (the paper's figs. 5 to 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.catalogue.systems import AXES, METHOD, REFERENCE, SYMBOLS, SYSTEMS, in_order, label
from pipeline.learning.system import setting_values
from pipeline.reporting.drawing import DASHES, SYSTEM_COLOURS, Panel, new_figure
from pipeline.reporting.settings_shown import on_map
from pipeline.reporting.wording import METRIC_NAMES

LOSSES = {"dev_loss": "loss on dev", "loss_target": "loss of the target"}
"""Columns of curves that may be there, and what they are."""
BANDS = (REFERENCE, METHOD)
"""Systems with a band: more than two on one another cannot be told apart."""


def learning_curves(curves: pd.DataFrame, points: pd.DataFrame, metric: str) -> tuple[Figure, list[Panel]]:
    """Draw dev score and losses by epoch: mean over seeds, and for two systems the range of the seeds.

    Without any dev score the losses alone are drawn. curves: as written by the train stage, with `fold`.
    points: fold, system, setting of the selected points. With several folds mean and band run over the seeds
    of all.
    """
    columns = {name: what for name, what in LOSSES.items() if name in curves and curves[name].notna().any()}
    if curves["dev_score"].notna().any():
        columns = {"dev_score": f"{METRIC_NAMES[metric]} on dev"} | columns
    figure = new_figure(0.5 + 2.1 * len(columns))
    every: list[Axes] = list(figure.subplots(len(columns), 1, sharex=True, squeeze=False)[:, 0])
    panels = {name: Panel(axes, [], "epoch") for name, axes in zip(columns, every, strict=True)}
    for place, (system, own) in enumerate(points.groupby("system", sort=False)):
        here = own[["fold", "system", "setting"]].merge(curves, on=["fold", "system", "setting"])
        if here.empty:  # not trained in epochs
            continue
        colour, name = SYSTEM_COLOURS[str(system)], label(str(system))
        for column, (axes, lines, *_) in panels.items():
            values = here.pivot_table(index="epoch", columns=["fold", "seed"], values=column, dropna=False)
            dashes = DASHES[place % len(DASHES)]
            (line,) = axes.plot(values.index, values.mean(axis=1), color=colour, label=name, ls=dashes)
            lines.append((line, name))  # type: ignore[attr-defined]  # made as a list above
            if system in BANDS:
                low, high = values.min(axis=1), values.max(axis=1)
                axes.fill_between(values.index, low, high, color=colour, alpha=0.18, lw=0)
                for edge in (low, high):
                    axes.plot(values.index, edge, color=colour, lw=0.4)
    for column, panel in panels.items():
        panel.axes.set_ylabel(columns[column])
    every[-1].set_xlabel("epoch")
    figure.legend(*every[0].get_legend_handles_labels(), loc="outside upper left", ncols=3, columnspacing=1.2,
                  handlelength=2.4)  # fmt: skip
    return figure, list(panels.values())


def setting_curves(grid: pd.DataFrame, metric: str) -> dict[str, tuple[Figure, list[Panel]]]:
    """Draw the headline score over each value of a setting: mean over seeds, and their standard deviation.

    A figure has a panel for each value that has three sizes or more in a grid, and a line for each system
    that varies it, at its chosen size of the other values; dev is drawn through, test in dashes; the chosen
    point is filled. Settings that are not `on_map` are left out. grid: rows of scores/grid.csv of one
    experiment and kind. Result: name of the grid -> figure and its panels.
    """
    figures = {}
    grid = grid[[on_map(*key) for key in zip(grid["system"], grid["setting"], strict=True)]]
    rows = grid.assign(values=pd.Series(map(setting_values, grid["setting"].astype(str)), grid.index, object))
    for name in dict.fromkeys(SYSTEMS[system].grid for system in in_order(grid["system"])):
        here = rows[[SYSTEMS[system].grid == name for system in rows["system"]]]
        by_key: dict[str, dict[str, pd.DataFrame]] = {}
        for system in in_order(here["system"]):
            own = here[here["system"] == system]
            for key in sorted({key for values in own["values"] for key in values}):
                line = _line(here, own, key)
                if len(line) >= FEWEST:
                    by_key.setdefault(key, {})[system] = line
        if by_key:
            figures[name] = _setting_figure(by_key, metric)
    return figures


FEWEST = 3
"""Points of a curve: two are no curve."""


def _line(grid: pd.DataFrame, own: pd.DataFrame, key: str) -> pd.DataFrame:
    """Return the points of a grid that differ from a system's chosen one in one value alone, sorted by it.

    A value that a point lacks is 0, so that the line of joint over alpha begins at classic. `chosen`: whether
    the point is the system's.
    """
    chosen: Mapping[str, float] = own.sort_values("selected", kind="stable")["values"].iloc[-1]
    others = {name for values in grid["values"] for name in values} - {key}
    alike = [
        all(values.get(name, 0.0) == chosen.get(name, 0.0) for name in others) for values in grid["values"]
    ]
    here = grid[alike].drop_duplicates("setting")
    at = [values.get(key, 0.0) for values in here["values"]]
    return here.assign(at=at, chosen=[value == chosen.get(key, 0.0) for value in at]).sort_values("at")


def _setting_figure(
    by_key: Mapping[str, Mapping[str, pd.DataFrame]], metric: str
) -> tuple[Figure, list[Panel]]:
    figure = new_figure(0.5 + 2.4 * len(by_key))
    panels = []
    every: Sequence[Axes] = list(figure.subplots(len(by_key), 1, squeeze=False)[:, 0])
    for axes, (key, lines) in zip(every, by_key.items(), strict=True):
        sizes = sorted({at for line in lines.values() for at in line["at"]})
        drawn = []
        for shift, (system, rows) in enumerate(lines.items()):
            for part, dashes in (("dev", "-"), ("test", (0, (3, 1.5)))):
                known = rows.dropna(subset=[f"{part}_mean"])
                if known.empty:
                    continue
                # moved aside a little, so that bars of systems do not lie on one another
                x = [sizes.index(at) + 0.08 * shift for at in known["at"]]
                colour = SYSTEM_COLOURS[system]
                name = f"{label(system)}, {part}"
                (line,) = axes.plot(x, known[f"{part}_mean"], color=colour, ls=dashes, label=name)
                axes.errorbar(x, known[f"{part}_mean"], known[f"{part}_std"].fillna(0), color=colour, ls="",
                              lw=0.8, capsize=2)  # fmt: skip
                for place, row in zip(x, known.to_dict("records"), strict=True):
                    fill = colour if row["chosen"] else "white"
                    axes.plot(place, row[f"{part}_mean"], "o", ms=6 if row["chosen"] else 4, color=colour,
                              mfc=fill)  # fmt: skip
                drawn.append((line, name))
        axes.set_xticks(range(len(sizes)), [f"{size:g}" for size in sizes])
        axes.set_xlabel(AXES.get(key, key))
        axes.set_ylabel(METRIC_NAMES[metric])
        panels.append(Panel(axes, drawn, SYMBOLS.get(key, key), [f"{size:g}" for size in sizes]))
    handles = {
        text: handle for axes in every for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=2, handlelength=2.4)
    return figure, panels
