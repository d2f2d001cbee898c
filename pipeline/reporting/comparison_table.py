"""significance.csv -> the table of differences from the reference, and of systems from their controls."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS, label
from pipeline.reporting.compared import reported
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.table import ALL_MODALITIES, GAIN, LOSS, Cell, Column, Table, interval, score
from pipeline.reporting.wording import METRIC_NAMES, number, target_name
from pipeline.scoring.verdict import verdict


def comparison_table(inputs: ReportInputs) -> Table | None:
    """Return one row per experiment and comparison; None where there is none.

    A difference that is established (`pipeline.scoring.verdict`) has its mark. On dev, where settings were
    chosen, there are differences with their intervals and no test of them.
    """
    table = reported(inputs)
    if table.empty:
        return None
    caption = f"Differences in {METRIC_NAMES[inputs.metric]} on {inputs.partition}"
    columns = [Column("experiment", False), Column("system", False), Column("against", False)]
    columns.append(Column("difference"))
    tested = inputs.partition == "test"
    first = table.iloc[0]
    columns.append(Column(f"{first['confidence'] * 100:g} % interval"))
    if tested:
        columns += [Column("p"), Column("p (Holm)")]
    columns.append(Column("± seeds"))
    if tested:
        columns.append(Column("p, sign-flip"))
        columns += [Column("p over folds")] if inputs.folds else []
        columns.append(Column(f"p, {first['test']}"))
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
    cells = [
        Cell(case), system, Cell(label(row["against"])), difference,
        interval(row["low"], row["high"], signed=True),
    ]  # fmt: skip
    if not tested:
        return [*cells, seeds]
    behind = [f"n = {row['n_speakers']}"] if row["n_speakers"] != row["units"] else []
    behind += ["p too small"] if row["seed_share"] > 0.5 else []
    folds = [_p(row["p_folds"])] if inputs.folds else []
    return [
        *cells, _p(row["p"]), _holm(row), seeds,
        _p(row["p_speakers"], f" ({', '.join(behind)})" if behind else ""), *folds, _p(row["p_two_sided"]),
    ]  # fmt: skip


def _holm(row: dict[Any, Any]) -> Cell:
    if pd.isna(row["p_holm"]) and not pd.isna(row["p"]):
        return Cell("–", why="no verdict is stated on this difference, so none is corrected for")
    return _p(row["p_holm"])


def _p(value: float, behind: str = "") -> Cell:
    if pd.isna(value):
        return Cell("–" + behind, why="not computed: too few units, or predictions are the same")
    return Cell(("< .001" if value < 0.001 else number(float(value))) + behind, float(value))
