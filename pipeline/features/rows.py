"""Rows of one recording: the one shape in which features pass between modules, and its bytes."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rows:
    """The rows of one recording.

    start, end: seconds, (rows,). values: (rows, features). valid: (rows,), False where the features
    do not describe the recording (no face). names: the features, in the order of `values`.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse arrays that do not belong together.

        Raises:
            ValueError: shapes differ.
        """
        count = len(self.start)
        if self.values.shape != (count, len(self.names)) or {len(self.end), len(self.valid)} != {count}:
            raise ValueError(
                f"rows do not fit: start {count}, end {len(self.end)}, valid {len(self.valid)}, "
                f"values {self.values.shape}, names {len(self.names)}"
            )

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.start)

    def column(self, name: str) -> NDArray[np.float32]:
        """Return one feature by name, (rows,).

        Raises:
            KeyError: no such feature.
        """
        if name not in self.names:
            raise KeyError(f"no feature '{name}', expected one of {list(self.names)}")
        return self.values[:, self.names.index(name)]

    def sha256(self) -> str:
        """Return the hash of the content, the same for every file format and library version."""
        digest = hashlib.sha256("\n".join(self.names).encode())
        for array, kind in (
            (self.start, "<f8"),
            (self.end, "<f8"),
            (self.values, "<f4"),
            (self.valid, "|b1"),
        ):
            digest.update(np.ascontiguousarray(array, dtype=kind).tobytes())
        return digest.hexdigest()


def to_table(recording: str, rows: Rows) -> pa.Table:
    """Return the rows as an Arrow table: recording, start, end, features, valid."""
    columns: dict[str, pa.Array] = {
        "recording": pa.array([recording] * len(rows), pa.string()),
        "start": pa.array(rows.start, pa.float64()),
        "end": pa.array(rows.end, pa.float64()),
    }
    values = np.asfortranarray(rows.values)
    columns |= {name: pa.array(values[:, i], pa.float32()) for i, name in enumerate(rows.names)}
    return pa.table(columns | {"valid": pa.array(rows.valid, pa.bool_())})


def from_table(table: pa.Table) -> Rows:
    """Return the rows of a table that holds one recording (inverse of `to_table`)."""
    names = tuple(table.column_names[3:-1])
    values = np.empty((table.num_rows, len(names)), np.float32)
    for i, name in enumerate(names):
        values[:, i] = table.column(name).to_numpy()
    return Rows(
        start=table.column("start").to_numpy().astype(np.float64),
        end=table.column("end").to_numpy().astype(np.float64),
        values=values,
        valid=table.column("valid").to_numpy().astype(np.bool_),
        names=names,
    )


def to_bytes(rows: Rows) -> bytes:
    """Return the rows as the bytes of an uncompressed Arrow file; same rows, same bytes."""
    sink = io.BytesIO()
    table = to_table("", rows)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_bytes(payload: bytes) -> Rows:
    """Return the rows from the bytes of `to_bytes`."""
    return from_table(pa.ipc.open_file(io.BytesIO(payload)).read_all())


PARQUET = {"compression": "zstd", "compression_level": 3, "use_dictionary": False, "write_statistics": False}
"""Writer settings of feature files: fixed, so that same rows give same bytes."""


def parquet_writer(path: str, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file for writing recordings one by one."""
    return pq.ParquetWriter(path, schema, **PARQUET)
