"""scores/groups.csv -> a table per column of groups: each group's scores, and the largest gap."""

from __future__ import annotations

from itertools import product
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import METHOD, REFERENCE, label
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.score_tables import case_name, headline, of_case
from pipeline.reporting.table import Cell, Column, Table, count, dash, interval, score
from pipeline.reporting.wording import METRIC_NAMES, number, spread

GAP = "largest gap"
TOO_FEW = "too few"
"""Units for an interval, or groups with enough of them for a gap."""


def group_tables(inputs: ReportInputs) -> list[Table]:
    """Return a table for each column in `evaluation.groups`: experiments and groups down, two systems across.

    Of reference and method, on the reported partition; groups.csv has all systems. Nothing without columns.
    """
    if inputs.groups.empty:
        return []
    table = headline(inputs, inputs.groups)
    table = table[table["partition"] == inputs.partition]
    return [
        _table(inputs, table[table["column"] == column], column, place)
        for place, column in enumerate(table["column"].drop_duplicates())
    ]


def _table(inputs: ReportInputs, table: pd.DataFrame, column: str, place: int) -> Table:
    systems = [name for name in (REFERENCE, METHOD) if (table["system"] == name).any()]
    systems = systems or list(table["system"].drop_duplicates())[:1]
    columns = [Column("experiment", False), Column(column, False)]
    for system in systems:
        columns += [Column(label(system)), Column(f"interval, {label(system)}")]
    sizes = {f"{table['unit'].iloc[0]}s": "units", "recordings": "recordings"}  # each once
    columns += map(Column, sizes)
    rows = []
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        here = of_case(table, scenario, dimension)
        case = Cell(case_name(inputs, scenario, dimension))
        by_system = {name: here[here["system"] == name].to_dict("records") for name in systems}
        # systems that need all modalities may lack a group
        first = max(by_system.values(), key=len)
        for row in first:
            if row["minus"] or not row["units"]:
                continue
            cells = [case, Cell(row["group"])]
            for own in by_system.values():
                cells += _score([each for each in own if each["group"] == row["group"] and not each["minus"]])
            rows.append([*cells, *(count(row[key]) for key in sizes.values())])
        if first:
            cells = [case, Cell(GAP)]
            for own in by_system.values():
                cells += _gap([each for each in own if each["minus"] or not each["units"]])
            rows.append([*cells, *[dash("those of the groups above")] * len(sizes)])
    caption = f"{METRIC_NAMES[inputs.metric]} on {inputs.partition} by {column}"
    return Table(f"groups-{place + 1}", caption, columns, rows)


def _score(rows: list[dict[Any, Any]]) -> list[Cell]:
    if not rows:
        return [dash("the system predicts none of the group")] * 2
    (row,) = rows
    own = Cell(TOO_FEW) if row["note"] else _interval(row, signed=False)
    return [score(row["value"], spread(row["value"], row["std"])), own]


def _gap(rows: list[dict[Any, Any]]) -> list[Cell]:
    if not rows or not rows[0]["minus"]:
        few = dash("fewer than two groups with enough units")
        return [few, Cell(TOO_FEW) if rows else few]
    (row,) = rows
    value = score(row["value"], number(row["value"], signed=True))
    return [value._replace(detail=f"{row['group']} − {row['minus']}"), _interval(row, signed=True)]


def _interval(row: dict[Any, Any], signed: bool) -> Cell:
    return interval(row["low"], row["high"], signed)
