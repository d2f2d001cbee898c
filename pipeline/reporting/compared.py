"""Rows of significance.csv that a page is about, and what they compare over."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue.systems import REFERENCE
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.verdict import CASE, claim


def comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the rows of significance.csv that the page is about: all systems against the reference.

    Of the headline kind and the reported partition.
    """
    table = reported(inputs)
    return table[table["against"] == REFERENCE]


def control_comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the same of systems against their controls, or what they are another form of, in `against`."""
    table = reported(inputs)
    return table[table["against"] != REFERENCE]


def reported(inputs: ReportInputs) -> pd.DataFrame:
    """Return both, case by case."""
    table = inputs.significance
    if table.empty:
        return table if "against" in table else table.reindex(columns=["against"])
    return table[(table["partition"] == inputs.partition) & (table["postprocessed"] == inputs.postprocessed)]


def claims(inputs: ReportInputs, system: str) -> pd.DataFrame:
    """Return one row per case with a comparison of a system: target, auxiliary, dimension, claim."""
    table = reported(inputs)
    table = table[table["system"] == system] if len(table) else table
    cases = [(*key, claim(rows, system)) for key, rows in table.groupby(CASE, sort=False)]
    return pd.DataFrame(cases, columns=[*CASE, "claim"])


def unit_name(table: pd.DataFrame) -> str:
    """Write `recording`, or what else the comparisons are over."""
    return str(table["unit"].iloc[0])


def units_name(table: pd.DataFrame) -> str:
    """Write `recordings`, or `recording` for a single one."""
    return unit_name(table) + ("" if int(table["units"].max()) == 1 else "s")
