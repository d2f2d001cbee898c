"""Rows of one recording: the one shape in which features pass between modules, and its bytes."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.store.damage import NO_DAMAGE, Damage
from pipeline.store.same_values import SameValues

DAMAGE = b"damage"
"""Key in a unit's Arrow metadata; units of whole media have none."""
FLOATS: dict[pa.DataType, np.dtype[Any]] = {pa.float32(): np.dtype("<f4"), pa.float64(): np.dtype("<f8")}


@dataclass(frozen=True, eq=False)
class Rows(SameValues):
    """The rows of one recording.

    start, end: seconds, (rows,). values: (rows, features). valid: (rows,), False where the features
    do not describe the recording (no face). names: the features, in the order of `values`. damage: of the
    medium that they were made from.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    names: tuple[str, ...]
    damage: Damage = NO_DAMAGE

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


# Columns are made from buffers and read from them: `pa.array` and `to_numpy` import pandas, which takes
# longer than all that a stage with nothing to compute does.


def to_table(recording: str, rows: Rows) -> pa.Table:
    """Return the rows as an Arrow table: recording, start, end, features, valid."""
    columns = {"recording": _repeated(recording, len(rows))}
    columns |= {"start": _floats(rows.start, pa.float64()), "end": _floats(rows.end, pa.float64())}
    values = np.asfortranarray(rows.values)
    columns |= {name: _floats(values[:, i], pa.float32()) for i, name in enumerate(rows.names)}
    bits = np.packbits(rows.valid, bitorder="little")
    valid = pa.Array.from_buffers(pa.bool_(), len(rows), [None, pa.py_buffer(bits)])
    return pa.Table.from_arrays([*columns.values(), valid], names=[*columns, "valid"])


def _repeated(text: str, count: int) -> pa.Array:
    letters = text.encode()
    offsets = np.arange(count + 1, dtype=np.int32) * len(letters)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(letters * count)]
    return pa.Array.from_buffers(pa.string(), count, buffers)


def _floats(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    array = np.ascontiguousarray(values, FLOATS[kind])
    return pa.Array.from_buffers(kind, len(array), [None, pa.py_buffer(array)])


def from_table(table: pa.Table) -> Rows:
    """Return the rows of a table that holds one recording (inverse of `to_table`).

    Raises:
        ValueError: a column has another type, or misses values.
    """
    names = tuple(table.column_names[3:-1])
    types = [pa.string(), pa.float64(), pa.float64(), *[pa.float32()] * len(names), pa.bool_()]
    if table.schema.types != types:
        raise ValueError(f"columns of types {table.schema.types}, expected {types}")
    start, end = np.empty(table.num_rows), np.empty(table.num_rows)
    values = np.empty((table.num_rows, len(names)), np.float32)
    valid = np.empty(table.num_rows, np.bool_)
    first = 0
    for batch in table.to_batches():
        rows = slice(first, first + batch.num_rows)
        _, start[rows], end[rows], *features, flags = map(_numpy, batch.columns)
        for i, feature in enumerate(features):
            values[rows, i] = feature
        valid[rows] = flags
        first = rows.stop
    return Rows(start, end, values, valid, names)


def valid_of(table: pa.Table) -> NDArray[np.bool_]:
    """Return the column `valid` of a table of any recordings, (rows,)."""
    parts = [_numpy(chunk) for chunk in table.column("valid").chunks]
    return np.concatenate([np.empty(0, np.bool_), *parts]).astype(np.bool_)


def _numpy(column: pa.Array) -> NDArray[Any]:
    """Return a column without missing values, (rows,); of one without numbers nothing is read."""
    if column.null_count:
        raise ValueError(f"{column.null_count} of {len(column)} values are missing")
    dtype = FLOATS.get(column.type)
    if dtype is not None:
        return np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * dtype.itemsize)
    if column.type != pa.bool_():
        return np.empty(0)
    # Arrow packs eight flags into a byte
    bits = np.unpackbits(np.frombuffer(column.buffers()[1], np.uint8), bitorder="little")
    return bits[column.offset : column.offset + len(column)]


def to_bytes(rows: Rows) -> bytes:
    """Return the rows as the bytes of an uncompressed Arrow file; same rows, same bytes."""
    sink = io.BytesIO()
    table = to_table("", rows)
    if rows.damage != NO_DAMAGE:
        table = table.replace_schema_metadata({DAMAGE: json.dumps(rows.damage)})
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def from_bytes(payload: bytes) -> Rows:
    """Return the rows from the bytes of `to_bytes`."""
    table = pa.ipc.open_file(payload).read_all()
    damage = (table.schema.metadata or {}).get(DAMAGE)
    rows = from_table(table)
    return rows if damage is None else replace(rows, damage=Damage(*json.loads(damage)))


PARQUET = {"compression": "zstd", "compression_level": 3, "use_dictionary": False, "write_statistics": False}
"""Writer settings of feature files: fixed, so that same rows give same bytes."""


def parquet_writer(path: str, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file for writing recordings one by one."""
    return pq.ParquetWriter(path, schema, **PARQUET)
