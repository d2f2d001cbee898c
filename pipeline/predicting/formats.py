"""Blocks of rows -> bytes of a file that grows by them: csv, JSON lines, an Arrow stream.

Parquet has its index at the end and cannot grow: rows are kept as an Arrow stream, which becomes the Parquet
file when all are there. Times are written as audformat and pandas write them (csv: `0 days 00:00:01.500000`;
Parquet: nanoseconds) and in JSON as seconds.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.predicting.block import FLAG, NUMBER, TEXT, TIME, Block, Column, Schema

NANOSECONDS = 1_000_000_000
DAY = 86_400 * NANOSECONDS


class Format(NamedTuple):
    """How a table is written. head: before the first block. body: of a block."""

    name: str
    head: Callable[[Schema], bytes]
    body: Callable[[Block], bytes]


class FormatError(ValueError):
    """Report a name of a table whose ending names no format."""


def format_of(path: Path) -> Format:
    """Return the format that the ending of a file names.

    Raises:
        FormatError: it names none.
    """
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise FormatError(f"{path}: expected a name that ends in {', '.join(FORMATS)}")
    return found


def nanoseconds(seconds: float) -> int:
    """Return a time as whole nanoseconds; pandas, which converts others by fractions, gets whole ones."""
    return round(seconds * NANOSECONDS)


def _duration(value: int) -> str:
    """Write a time as pandas does: `0 days 00:00:01.500000`, with nine digits where six are too few."""
    days, rest = divmod(value, DAY)
    seconds, fraction = divmod(rest, NANOSECONDS)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    digits = f"{fraction:09d}" if fraction % 1000 else f"{fraction // 1000:06d}"
    return f"{days} days {hour:02d}:{minute:02d}:{second:02d}.{digits}"


def _csv_row(cells: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(cells)
    return text.getvalue().encode()


def _csv_head(schema: Schema) -> bytes:
    return _csv_row([[name for name, _ in schema]])


def _csv_body(block: Block, digits: int | None = None) -> bytes:
    columns = [_cells(column, digits) for column in block.columns.values()]
    return _csv_row(list(zip(*columns, strict=True)))


def _cells(column: Column, digits: int | None = None) -> list[str]:
    """Return the cells of a column, empty where a value is missing.

    digits: behind the point of numbers; None: those that they need.
    """
    kind, values = column
    if kind == TIME:
        return ["" if value != value else _duration(nanoseconds(value)) for value in values.tolist()]
    if kind == NUMBER:
        shown = str if digits is None else f"{{:.{digits}f}}".format
        return ["" if value != value else shown(value) for value in values]
    return ["" if value is None else str(value) for value in values.tolist()]


def _json_head(schema: Schema) -> bytes:
    return b""


def _json_body(block: Block) -> bytes:
    columns = {name: _values(column.values) for name, column in block.columns.items()}
    lines = (
        json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False, allow_nan=False)
        for row in zip(*columns.values(), strict=True)
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _values(column: NDArray[Any]) -> list[Any]:
    """Return a column's values for JSON; what is missing is null, single precision has few digits."""
    if column.dtype == np.float32:
        return [None if value != value else float(str(value)) for value in column]
    return [None if value != value else value for value in column.tolist()]


def _arrow_schema(schema: Schema) -> Any:
    import pyarrow as pa

    kinds = {TEXT: pa.string(), NUMBER: pa.float64(), FLAG: pa.bool_(), TIME: pa.duration("ns")}
    return pa.schema([(name, kinds[kind]) for name, kind in schema])


def _arrow_head(schema: Schema) -> bytes:
    return bytes(_arrow_schema(schema).serialize())


def _arrow_body(block: Block) -> bytes:
    import pyarrow as pa

    arrays, schema = [], _arrow_schema(block.schema)
    for column, field in zip(block.columns.values(), schema, strict=True):
        values = _values(column.values)
        if column.kind == TIME:
            values = [None if value is None else nanoseconds(value) for value in values]
        arrays.append(pa.array(values, field.type))
    return bytes(pa.record_batch(arrays, schema=schema).serialize())


def stream_from_parquet(path: Path, stream: Path) -> None:
    """Write a Parquet file of `parquet_from_stream` as the Arrow stream that it was made of."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    with stream.open("wb") as sink:
        sink.write(bytes(file.schema_arrow.remove_metadata().serialize()))
        for place in range(file.num_row_groups):
            for batch in file.read_row_group(place).combine_chunks().to_batches():
                sink.write(bytes(batch.replace_schema_metadata(None).serialize()))


def parquet_from_stream(stream: Path, path: Path) -> None:
    """Write an Arrow stream as Parquet, one row group per block; the file appears when it is whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    partial = path.with_name(f".{path.name}.tmp")
    with stream.open("rb") as source:
        reader = pa.ipc.open_stream(source)
        with pq.ParquetWriter(partial, reader.schema, compression="zstd") as writer:
            for batch in reader:
                writer.write_batch(batch, row_group_size=max(1, batch.num_rows))
    partial.replace(path)


CSV = Format("csv", _csv_head, _csv_body)
DIGITS = 3
SHOWN = Format("csv", _csv_head, partial(_csv_body, digits=DIGITS))
"""For people, on a terminal: what goes into a file or a pipe has all digits."""
FORMATS = {
    ".csv": CSV,
    ".jsonl": Format("jsonl", _json_head, _json_body),
    ".parquet": Format("parquet", _arrow_head, _arrow_body),
}
