"""scores/label_shares.csv -> scores against labelled speakers: a figure and a table of one experiment."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipeline.catalogue.systems import in_order, label
from pipeline.reporting.drawing import DASHES, MARKERS, SYSTEM_COLOURS, Panel, new_figure
from pipeline.reporting.table import Cell, Column, Table, count, dash, score
from pipeline.reporting.wording import METRIC_NAMES, number
from pipeline.scoring.label_shares import EVERY_DRAW

COLUMNS, LETTERS = 3, 42
"""Of the legend: columns at most, and letters that the longest names of all of them may have together."""
NOT_HERE = "not trained with so many labels: no recording of train is without one"


def label_curves(rows: pd.DataFrame, metric: str) -> tuple[Figure, list[Panel]]:
    """Draw the mean over draws of every system over the number of labelled speakers.

    Thick bars: standard deviation over draws; thin ones with caps: over seeds, of the mean over draws. rows:
    of one experiment, kind, partition and metric.
    """
    means = rows[rows["draw"] == EVERY_DRAW]
    systems = in_order(means["system"])
    figure = new_figure(3.0 + 0.2 * -(-len(systems) // _columns(systems)))
    axes = figure.subplots()
    lines = []
    width = float(means["speakers"].max() - means["speakers"].min()) / 100
    for place, system in enumerate(systems):
        own = means[means["system"] == system].sort_values("speakers")
        # moved aside a little, so that bars of systems do not lie on one another
        x = own["speakers"] + width * (place - (len(systems) - 1) / 2)
        colour, name = SYSTEM_COLOURS[system], label(system)
        (line,) = axes.plot(
            x, own["mean"], color=colour, label=name, ls=DASHES[place % len(DASHES)],
            marker=MARKERS[place % len(MARKERS)], ms=4,
        )  # fmt: skip
        lines.append((line, name))
        over_draws, over_seeds = own["std_draws"].fillna(0), own["std"].fillna(0)
        axes.errorbar(x, own["mean"], over_draws, color=colour, ls="", lw=2.6, alpha=0.5)
        axes.errorbar(x, own["mean"], over_seeds, color=colour, ls="", lw=0.8, capsize=2)
    counts = sorted(set(means["speakers"]))
    axes.set_xticks(counts, [f"{speakers:g}" for speakers in counts])
    axes.set_xlabel("labelled speakers in train")
    axes.set_ylabel(METRIC_NAMES[metric])
    figure.legend(loc="outside upper left", ncols=_columns(systems), columnspacing=1.2, handlelength=2.4)
    return figure, [Panel(axes, lines, "labelled speakers")]


def _columns(systems: Sequence[str]) -> int:
    """Return how many columns of the legend fit beside each other; it is filled column by column."""
    for columns in range(COLUMNS, 1, -1):
        rows = -(-len(systems) // columns)
        each = [systems[begin : begin + rows] for begin in range(0, len(systems), rows)]
        if sum(max(len(label(name)) for name in column) for column in each) <= LETTERS:
            return columns
    return 1


def label_table(rows: pd.DataFrame, metric: str, key: str) -> Table:
    """Return one row per number of labelled speakers: draws, and of each system the mean over them.

    rows: as of `label_curves`. key: of the experiment on the page.
    """
    means = rows[rows["draw"] == EVERY_DRAW]
    systems = in_order(means["system"])
    table = []
    for speakers, here in means.groupby("speakers", sort=True):
        of_system = here.drop_duplicates("system").set_index("system").to_dict("index")
        draws = count(int(here["draws"].max()))
        cells = [_cell(of_system[s]) if s in of_system else dash(NOT_HERE) for s in systems]
        table.append([Cell(f"{speakers:g}", float(str(speakers))), draws, *cells])
    columns = [Column("labelled speakers"), Column("draws"), *(Column(label(name)) for name in systems)]
    notes = ("Below each mean over draws: its standard deviation over draws, then over seeds.",)
    caption = f"{METRIC_NAMES[metric]} against labelled speakers"
    return Table(f"labels-{key}", caption, columns, table, notes)


def _cell(row: Mapping[Hashable, Any]) -> Cell:
    spreads = ["–" if pd.isna(row[name]) else number(row[name]) for name in ("std_draws", "std")]
    return score(row["mean"])._replace(detail=f"± {spreads[0]} draws, ± {spreads[1]} seeds")
