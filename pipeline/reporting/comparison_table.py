"""significance.csv -> the table of differences from the reference."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.learning.systems.table import REFERENCE, SYSTEMS, label
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.table import ALL_MODALITIES, GAIN, LOSS, Cell, Column, Table, score
from pipeline.reporting.verdicts import comparisons
from pipeline.reporting.wording import METRIC_NAMES, number, target_name
from pipeline.scoring.verdict import verdict


def comparison_table(inputs: ReportInputs) -> Table | None:
    """Return one row per experiment and system other than the reference; None where there is none.

    A difference that is established (`pipeline.scoring.verdict`) has its mark. On dev, where settings were
    chosen, there are differences and no test of them.
    """
    table = comparisons(inputs)
    if table.empty:
        return None
    caption = f"Difference from {label(REFERENCE)} in {METRIC_NAMES[inputs.metric]} on {inputs.partition}"
    columns = [Column("experiment", False), Column("system", False), Column("difference")]
    tested = inputs.partition == "test"
    if tested:
        first = table.iloc[0]
        columns += [Column(f"{first['confidence'] * 100:g} % interval"), Column("p, bootstrap")]
    columns.append(Column("± seeds"))
    if tested:
        columns += [Column(f"p, sign-flip over {first['unit']}s"), Column(f"p, {first['test']}")]
    rows = [_row(inputs, row, tested) for row in table.to_dict("records")]
    return Table("differences", caption, columns, rows)


def _row(inputs: ReportInputs, row: dict[Any, Any], tested: bool) -> list[Cell]:
    case = f"{target_name(inputs.corpus, row['target'], row['auxiliary'])} → {row['dimension']}"
    system = Cell(SYSTEMS[row["system"]].label)
    if SYSTEMS[row["system"]].needs != "target":
        system = system.marked(ALL_MODALITIES)
    difference = score(row["difference"], number(row["difference"], signed=True))
    if verdict(row) != "none":
        difference = difference.marked(GAIN if verdict(row) == "gain" else LOSS)
    up = f"{number(row['difference_std'])} ({row['wins']} of {row['seeds']} up)"
    seeds = score(row["difference_std"], up)
    if not tested:
        return [Cell(case), system, difference, seeds]
    interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
    return [
        Cell(case), system, difference,
        Cell("–") if pd.isna(row["low"]) else Cell(interval, float(row["low"])),
        _p(row["p_bootstrap"]), seeds,
        _p(row["p_speakers"], f" (n = {row['n_speakers']})"), _p(row["p_one_sided"]),
    ]  # fmt: skip


def _p(value: float, behind: str = "") -> Cell:
    if pd.isna(value):
        return Cell("–" + behind)
    return Cell(("< .001" if value < 0.001 else number(float(value))) + behind, float(value))
