"""traces.csv of an own corpus -> traces."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from pipeline.corpora.interface import DIMENSIONS, Problem
from pipeline.corpora.traces import trace_table
from pipeline.location import Location

TRACE_COLUMNS = ("recording", "dimension", "rater", "time", "value")


def read_traces_csv(path: Location, recordings: Collection[str]) -> tuple[pd.DataFrame, list[Problem]]:
    """Read the rows of the named recordings; others are problems.

    Args:
        path: of traces.csv.
        recordings: names in recordings.csv.

    Raises:
        ValueError: not a table, a missing column, a time or value that is no finite number, or an
            unknown dimension; file and line are named.
    """
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            table = pd.read_csv(
                file, dtype=str, keep_default_na=False, skipinitialspace=True, skip_blank_lines=False
            )
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path}: not a table ({error}), expected the columns {', '.join(TRACE_COLUMNS)}"
        ) from None
    absent = [column for column in TRACE_COLUMNS if column not in table.columns]
    if absent:
        raise ValueError(
            f"{path}:1: missing column {', '.join(absent)} in {', '.join(table.columns)}, "
            f"expected {', '.join(TRACE_COLUMNS)}"
        )
    table = table[(table != "").any(axis="columns")]
    numbers = {}
    for column in ("time", "value"):
        parsed = pd.to_numeric(table[column], errors="coerce").astype(float)
        wrong = parsed.index[~np.isfinite(parsed)]
        if len(wrong):
            # Line 1 is the header, row 0 is line 2.
            cell = table.loc[wrong[0], column]
            raise ValueError(f"{path}:{wrong[0] + 2}: found {column} '{cell}', expected a finite number")
        numbers[column] = parsed
    unknown = table.index[~table["dimension"].isin(DIMENSIONS)]
    if len(unknown):
        dimension = table.loc[unknown[0], "dimension"]
        where = f"{path}:{unknown[0] + 2}"
        raise ValueError(f"{where}: unknown dimension '{dimension}', expected one of {', '.join(DIMENSIONS)}")
    known = table["recording"].isin(list(recordings))
    problems = [
        Problem(str(name), path.name, "traces of a recording that is not in recordings.csv: left out")
        for name in sorted(table.loc[~known, "recording"].unique())
    ]
    recording, dimension, rater = (table.loc[known, column] for column in ("recording", "dimension", "rater"))
    return trace_table(recording, dimension, rater, numbers["time"][known], numbers["value"][known]), problems
