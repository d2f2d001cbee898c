"""scores/enrolment.csv -> scores against enrolled recordings: a figure, a table and what they are worth."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from pipeline.catalogue.systems import METHOD, REFERENCE, in_order, label
from pipeline.reporting.drawing import DASHES, MARKERS, SYSTEM_COLOURS, Panel, new_figure
from pipeline.reporting.table import Cell, Column, Table, score
from pipeline.reporting.wording import METRIC_NAMES, counted, number
from pipeline.wording import listed

COLUMNS = 3
"""Of the legend: names of systems are long."""
EVERY = "all"
MOST = 0.8
"""Share of the gain by enrolment that few recordings are to bring."""
FIELD = "uar"
"""By which the field compares recognisers of classes."""
LITTLE = 0.01
"""A gain below it is none to speak of."""


def enrolment_curves(rows: pd.DataFrame, metric: str) -> tuple[Figure, list[Panel]]:
    """Draw the score of every system over the number of enrolled recordings.

    Bars, of the reference and the method: the interval over speakers and seeds. rows: of one experiment,
    partition and metric.
    """
    systems = in_order(rows["system"])
    numbers = list(dict.fromkeys(rows["enrolled"]))
    figure = new_figure(3.0 + 0.2 * -(-len(systems) // COLUMNS))
    axes = figure.subplots()
    lines = []
    for place, system in enumerate(systems):
        own = rows[rows["system"] == system]
        # moved aside a little, so that bars do not lie on one another
        x = own["enrolled"].map(numbers.index) + 0.04 * (place - (len(systems) - 1) / 2)
        colour, name = SYSTEM_COLOURS[system], label(system)
        (line,) = axes.plot(
            x, own["value"], color=colour, label=name, ls=DASHES[place % len(DASHES)],
            marker=MARKERS[place % len(MARKERS)], ms=4,
        )  # fmt: skip
        lines.append((line, name))
        if system in (REFERENCE, METHOD):
            below, above = own["value"] - own["low"], own["high"] - own["value"]
            axes.errorbar(x, own["value"], [below, above], color=colour, ls="", lw=0.8, capsize=2)
    axes.set_xticks(range(len(numbers)), numbers)
    axes.set_xlabel("enrolled recordings of the speaker")
    axes.set_ylabel(METRIC_NAMES[metric])
    figure.legend(loc="outside upper left", ncols=COLUMNS, columnspacing=1.2, handlelength=2.4)
    return figure, [Panel(axes, lines, "enrolled recordings")]


def shown_metrics(rows: pd.DataFrame, metric: str) -> list[str]:
    """Return the metrics with a table of their own: the headline, and of classes the field's UAR.

    rows: of all metrics.
    """
    return [name for name in dict.fromkeys((metric, FIELD)) if (rows["metric"] == name).any()]


def enrolment_table(rows: pd.DataFrame, metric: str, key: str) -> Table:
    """Return one row per number of enrolled recordings: speakers, and each system's score.

    rows: as of `enrolment_curves`. key: of the experiment on the page.
    """
    systems = in_order(rows["system"])
    table = []
    for place, enrolled in enumerate(dict.fromkeys(rows["enrolled"])):
        here = rows[rows["enrolled"] == enrolled]
        of_system = here.drop_duplicates("system").set_index("system").to_dict("index")
        speakers = int(here["speakers"].iloc[0])
        cells = [_cell(of_system[name]) for name in systems]
        table.append([Cell(enrolled, float(place)), Cell(str(speakers), float(speakers)), *cells])
    columns = [Column("enrolled"), Column("speakers"), *(Column(label(name)) for name in systems)]
    notes = (
        "Below each score: its interval over speakers and seeds. Speakers without so many further recordings "
        "are left out of a row.",
    )
    name = METRIC_NAMES[metric]
    # the key is a label in results.tex as well
    return Table(
        f"enrolment-{name.lower()}-{key}", f"{name} against enrolled recordings", columns, table, notes
    )


def curve_caption(rows: pd.DataFrame, metric: str, partition: str, over: str) -> str:
    """Say what the figure shows, and what enrolment is worth; over: what means are over besides draws.

    rows: of one experiment and partition, of all metrics.
    """
    worths = [worth(rows[rows["metric"] == name], name) for name in shown_metrics(rows, metric)]
    return (
        f"{METRIC_NAMES[metric]} on {partition} against the number of other recordings of the speaker, "
        "without labels, that scale the features of the one that is predicted; all: every recording of the "
        "speaker, this one included, as in the other tables. Mean over "
        f"{rows['draws'].max()} draws of recordings and over {over}; bars, of the reference and the method: "
        "interval over speakers and seeds. Raw "
        f"predictions. {' '.join(worths)}"
    )


def worth(rows: pd.DataFrame, metric: str) -> str:
    """Say how many recordings are worth it, of the method, or else the reference or first system.

    rows: as of `enrolment_curves`.
    """
    systems = in_order(rows["system"])
    system = next((name for name in (METHOD, REFERENCE) if name in systems), systems[0])
    own = rows[(rows["system"] == system) & (rows["speakers_left_out"] == 0)]
    values = {
        row["enrolled"]: (float(row["value"]), row) for _, row in own.iterrows() if row["enrolled"] != EVERY
    }
    name = METRIC_NAMES[metric]
    if len(values) < 2:
        return f"{label(system)}: some speakers have one recording only, so nothing can be enrolled for them."
    nothing = values["0"][0]
    texts = [f"{number(value)} with {enrolled}" for enrolled, (value, _) in values.items() if enrolled != "0"]
    sentence = f"{label(system)}: {name} {number(nothing)} without enrolment, {listed(texts)} recordings"
    last, (most, row) = list(values.items())[-1]
    if most - nothing < LITTLE:
        return f"{sentence}: {counted(int(last), 'recording')} bring no gain to speak of (below {LITTLE:g})."
    enough = next(
        enrolled for enrolled, (value, _) in values.items() if value - nothing >= MOST * (most - nothing)
    )
    lowest = min((value, enrolled) for enrolled, (value, _) in values.items())
    worse = (
        f" With {lowest[1]} it is lower than with none, by {number(nothing - lowest[0])}."
        if lowest[0] < nothing - LITTLE
        else ""
    )
    interval = f"interval {number(row['gain_low'], True)} to {number(row['gain_high'], True)}"
    gain = f"({number(row['gain'], True)}, {interval})"
    brings = f"{counted(int(enough), 'recording')} bring{'s' * (enough == '1')}"
    if enough == last:
        return f"{sentence}. {brings} a gain {gain}, fewer less than {MOST:.0%} of it.{worse}"
    return f"{sentence}. {brings} {MOST:.0%} or more of the gain of {last} {gain}.{worse}"


def _cell(row: Mapping[Hashable, Any]) -> Cell:
    return score(row["value"])._replace(detail=f"{number(row['low'])} to {number(row['high'])}")
