"""csv or Parquet tables of features -> rows of one recording after the other, bounded in memory.

Columns: `recording`, none or one of `time` and the pair `start, end` (seconds), then one per feature, in any
order. The rows of a recording stand together, so that one recording is in memory at a time.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.features.given_rows import RESERVED, finite_rows
from pipeline.features.rows import Rows
from pipeline.location import Location

BATCH_ROWS = 1024
BLOCK = 1 << 22
"""Bytes of a csv parsed at a time."""


class FeatureTableError(ValueError):
    """Report a table of features that cannot be used: file, what was found, what was expected."""


class Columns(NamedTuple):
    """What the columns of a table are: the two of times (none: no times), and the features."""

    times: tuple[str, ...]
    features: tuple[str, ...]


@dataclass
class TableRows:
    """A table, opened: its columns and, one after the other, its recordings.

    header: all columns of a csv, in its order. blocks: the rows, in pieces.
    """

    path: Location
    header: tuple[str, ...]
    columns: Columns
    blocks: Iterator[pa.RecordBatch]
    close: Callable[[], None]
    seen: set[str] = field(default_factory=set)

    def recordings(self) -> Iterator[tuple[str, Callable[[], Rows]]]:
        """Give each recording's name and a function that returns its rows.

        The function raises MediaError where times are missing or do not rise; start and end are 0 in a
        table without times.

        Raises:
            FeatureTableError: a value is no number, a recording has no name or rows in two places.
        """
        parts: list[NDArray[np.float64]] = []
        name = None
        for own, block in self._runs():
            if own != name:
                if name is not None:
                    yield name, self._rows(name, parts)
                if own in self.seen:
                    raise FeatureTableError(
                        f"{self.path}: the rows of recording '{own}' stand in several places, expected "
                        "together; sort the table by recording and time"
                    )
                self.seen.add(own)
                name, parts = own, []
            parts.append(block)
        if name is not None:
            yield name, self._rows(name, parts)

    def _rows(self, name: str, parts: list[NDArray[np.float64]]) -> Callable[[], Rows]:
        def rows() -> Rows:
            table = np.concatenate(parts)
            times = table[:, : len(self.columns.times)]
            values = table[:, len(self.columns.times) :].astype(np.float32)
            if not self.columns.times:
                zero = np.zeros(len(table))
                valid = np.asarray(np.isfinite(values).any(axis=1))
                return Rows(zero, zero, values, valid, self.columns.features)
            start, end = times[:, 0].copy(), times[:, 1].copy()
            return finite_rows(f"{self.path}: {name}", start, end, values, self.columns.features)

        return rows

    def _runs(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Give stretches of rows with one recording: its name, times and values (rows, columns)."""
        wanted = (*self.columns.times, *self.columns.features)
        try:
            for block in self.blocks:
                if not len(block):
                    continue
                names = np.asarray(
                    block.column(block.schema.get_field_index("recording")).to_pylist(), object
                )
                if any(not name for name in names):
                    raise FeatureTableError(
                        f"{self.path}: found a row with an empty recording, expected a name"
                    )
                numbers = np.empty((len(block), len(wanted)))
                for place, column in enumerate(wanted):
                    numbers[:, place] = block.column(block.schema.get_field_index(column)).to_numpy(
                        zero_copy_only=False
                    )
                edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
                for first, stop in pairwise(edges):
                    yield str(names[first]), numbers[first:stop]
        except pa.ArrowInvalid as error:
            raise FeatureTableError(f"{self.path}: {_sentence(str(error), self.header)}") from None
        finally:
            self.close()


def open_table(path: Location) -> TableRows:
    """Open a table: a name that ends in .parquet is Parquet, any other csv.

    Raises:
        FeatureTableError: no table, a missing or repeated column, a feature that is no number.
        OSError: the file cannot be read.
    """
    return (_open_parquet if path.name.lower().endswith(".parquet") else _open_csv)(path)


def _open_csv(path: Location) -> TableRows:
    with path.open("r", encoding="utf-8-sig", newline="", errors="replace") as text:
        header = tuple(name.strip() for name in next(csv.reader(text), []))
    columns = _columns(path, header)
    numbers = dict.fromkeys((*columns.times, *columns.features), pa.float64())
    file = path.open("rb")
    try:
        reader = pyarrow.csv.open_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                column_names=list(header), skip_rows=1, block_size=BLOCK, use_threads=False
            ),
            convert_options=pyarrow.csv.ConvertOptions(column_types={"recording": pa.string(), **numbers}),
        )
    except pa.ArrowInvalid as error:
        file.close()
        raise FeatureTableError(f"{path}: {_sentence(str(error), header)}") from None
    return TableRows(path, header, columns, _trimmed(reader), file.close)


def _trimmed(blocks: Any) -> Iterator[pa.RecordBatch]:
    for block in blocks:
        place = block.schema.get_field_index("recording")
        names = pyarrow.compute.utf8_trim_whitespace(block.column(place))
        yield block.set_column(place, "recording", names)


def _open_parquet(path: Location) -> TableRows:
    file: Any = path.open("rb")
    try:
        table = pq.ParquetFile(file)
    except pa.ArrowInvalid as error:
        file.close()
        raise FeatureTableError(f"{path}: not a Parquet file ({error})") from None
    schema = table.schema_arrow
    columns = _columns(path, tuple(schema.names))
    for name in (*columns.times, *columns.features):
        kind = schema.field(name).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
            raise FeatureTableError(f"{path}: column '{name}' holds {kind}, expected numbers")
    numbers = {name: pa.float64() for name in (*columns.times, *columns.features)}
    wanted = pa.schema([("recording", pa.string()), *numbers.items()])

    def blocks() -> Iterator[pa.RecordBatch]:
        for block in table.iter_batches(BATCH_ROWS, columns=wanted.names):
            own = [block.column(block.schema.get_field_index(name)) for name in wanted.names]
            cast = [array.cast(field.type, safe=False) for array, field in zip(own, wanted, strict=True)]
            yield pa.record_batch(cast, schema=wanted)

    return TableRows(path, tuple(schema.names), columns, blocks(), file.close)


def _columns(path: Location, header: tuple[str, ...]) -> Columns:
    listed = f"'{','.join(header[:6])}{',...' if len(header) > 6 else ''}'"
    if "recording" not in header:
        raise FeatureTableError(
            f"{path}: found the columns {listed}, expected recording[,time or start,end] and features"
        )
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise FeatureTableError(f"{path}: column '{twice[0]}' occurs twice, expected once")
    # what pandas writes of an index: its numbers would become a feature
    index = [name for name in header if not name or name.startswith(("__index_level_", "Unnamed: "))]
    if index:
        raise FeatureTableError(f"{path}: column '{index[0]}' is an index, expected none (index=False)")
    pair = {"start", "end"} & set(header)
    if len(pair) == 1 or (pair and "time" in header):
        raise FeatureTableError(
            f"{path}: found the columns {listed}, expected either time, or start and end, or none of them"
        )
    times = ("start", "end") if pair else ("time", "time") if "time" in header else ()
    features = tuple(name for name in header if name not in ("recording", *times))
    taken = sorted(RESERVED & set(features))
    if taken:
        raise FeatureTableError(
            f"{path}: column '{taken[0]}' is a name that feature tables use themselves, expected another"
        )
    if not features:
        raise FeatureTableError(f"{path}: found the columns {listed}, expected features beside them")
    return Columns(times, features)


def _sentence(error: str, header: tuple[str, ...]) -> str:
    """Turn Arrow's words into ours: column by name."""
    found = re.search(r"In CSV column #(\d+):(?: Row #(\d+):)?.*invalid value '(.*)'", error, re.DOTALL)
    if found is None:
        return f"not a table ({error})"
    column, row, value = found.groups()
    line = f"line {row}: " if row else ""
    return f"{line}found '{value}' in column {header[int(column)]}, expected a number"
