"""Annotation traces in long format: the table, its Parquet bytes, and back.

One row per rater and time: `recording, dimension, rater, time, value`; time in seconds. The rater
`gold` is the gold standard that comes with the corpus. A class of an utterance is one row with the
dimension `emotion`, time 0.0 and the code of the class as its value.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike

NAMES = ("recording", "dimension", "rater")
SCHEMA = pa.schema(
    [
        ("recording", pa.string()),
        ("dimension", pa.string()),
        ("rater", pa.string()),
        ("time", pa.float64()),
        ("value", pa.float64()),
    ]
)


def trace_table(
    recording: ArrayLike, dimension: ArrayLike, rater: ArrayLike, time: ArrayLike, value: ArrayLike
) -> pd.DataFrame:
    """Return traces as a table sorted by recording, dimension, rater and time.

    Args:
        recording: names, one per row.
        dimension: names, one per row.
        rater: names, one per row.
        time: seconds, (rows,).
        value: ratings or codes of classes, (rows,).

    Returns:
        Columns `recording, dimension, rater` (categories: a session has 15,000 rows of the same
        words) and `time, value` (float64).
    """
    table = pd.DataFrame(
        {
            "recording": pd.Categorical(np.asarray(recording, dtype=object)),
            "dimension": pd.Categorical(np.asarray(dimension, dtype=object)),
            "rater": pd.Categorical(np.asarray(rater, dtype=object)),
            "time": np.asarray(time, dtype=np.float64),
            "value": np.asarray(value, dtype=np.float64),
        }
    )
    # Categories are sorted by name, so that sorting by code is sorting by name, and fast.
    keys = [table["time"].to_numpy()] + [table[name].cat.codes.to_numpy() for name in reversed(NAMES)]
    order = np.lexsort(keys)
    if not np.array_equal(order, np.arange(len(table))):
        table = table.iloc[order].reset_index(drop=True)
    return table


def join_traces(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of several tables as one sorted table."""
    recording, dimension, rater, time, value = (
        np.concatenate([table[name].to_numpy() for table in tables]) for name in SCHEMA.names
    )
    return trace_table(recording, dimension, rater, time, value)


def format_traces(traces: pd.DataFrame) -> bytes:
    """Return the Parquet bytes of a table of traces; same table, same bytes."""
    columns = [pa.array(traces[name]).cast(SCHEMA.field(name).type) for name in SCHEMA.names]
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, schema=SCHEMA), buffer, compression="zstd")
    return buffer.getvalue()


def load_traces(path: Path, rater: str | None = None) -> pd.DataFrame:
    """Read a table of traces, of one rater if `rater` names one.

    Raises:
        FileNotFoundError: no such file.
        ValueError: not a table of traces.
    """
    filters = None if rater is None else [("rater", "==", rater)]
    try:
        table = pq.read_table(path, read_dictionary=list(NAMES), filters=filters)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path}: not a table of traces ({error}), expected what register wrote") from None
    if table.column_names != SCHEMA.names:
        raise ValueError(f"{path}: found the columns {table.column_names}, expected {SCHEMA.names}")
    recording, dimension, rater, time, value = (table[name].to_pandas() for name in SCHEMA.names)
    return trace_table(recording, dimension, rater, time, value)
