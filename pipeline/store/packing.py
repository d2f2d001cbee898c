"""Rows of many recordings <-> one Parquet file of a feature table.

Recordings share a row group up to a fixed number of values: a row group per utterance would cost
hundreds of bytes of description for each of its columns (4,096 with VGG-Face), some twenty times
the data, and as much time. A long recording has a row group of its own, so that reading and
writing hold one recording, or one row group, in memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.store.damage import NO_DAMAGE
from pipeline.store.rows import Rows, from_table, parquet_writer, to_table, valid_of
from pipeline.store.table_index import TableError, again

RECORDINGS_PER_FILE = 64
MOST_FILES = 256
GROUP_VALUES = 1 << 21
"""Values (8 MB) that a row group is filled up to; a recording is never divided."""
FORMAT = {"packing": 2, "pyarrow": pa.__version__}
"""What the bytes of a file depend on besides its rows."""


class PackingError(ValueError):
    """Report recordings that do not fit into one table."""


class Unit(NamedTuple):
    """A recording's finished rows: their key in the store."""

    recording: str
    key: str


class Place(NamedTuple):
    """Where the rows of one recording lie: a Parquet file, the row group in it, rows in that."""

    path: Path
    row_group: int
    first: int
    rows: int
    recording: str

    def read(self) -> Rows:
        """Read the rows; recordings of one row group read one after the other cost one reading.

        Raises:
            TableError: they are not all the rows of the recording, or the file is no feature file.
        """
        try:
            group = _row_group(self.path, self.row_group, self.path.stat().st_mtime_ns)
            own = group.slice(self.first, self.rows)
            beside = (self.first - 1, self.first + self.rows)
            around = [group.column(0)[row].as_py() for row in beside if 0 <= row < group.num_rows]
            whose = own.column(0).unique().to_pylist()
            rows = from_table(own)
        except (pa.ArrowException, LookupError, ValueError) as error:
            raise TableError(f"{self.path}: damaged ({error}); {again(self.path.parent)}") from None
        if len(rows) != self.rows or whose != [self.recording][: self.rows] or self.recording in around:
            raise TableError(
                f"{self.path}: rows {self.first} to {self.first + self.rows} of row group {self.row_group} "
                f"are not those of '{self.recording}', as index.json says; {again(self.path.parent)}"
            )
        return rows


@lru_cache(maxsize=1)
def _row_group(path: Path, row_group: int, changed: int) -> pa.Table:
    """Read a row group; the time of change tells a file from the one that it replaced."""
    with pq.ParquetFile(path) as file:
        return file.read_row_group(row_group)


def spread(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Spread recordings over files by the hash of their names, file name -> units.

    The number of files is a power of two up to 256: one more recording changes one file, and
    100,000 utterances stay below 500 files.
    """
    count = 1
    while count < MOST_FILES and count * RECORDINGS_PER_FILE < len(units):
        count *= 2
    packed: dict[str, list[Unit]] = {}
    for unit in sorted(units):
        number = int(hashlib.sha256(unit.recording.encode()).hexdigest()[:8], 16) % count
        packed.setdefault(f"part-{number:03d}-of-{count:03d}.parquet", []).append(unit)
    return dict(sorted(packed.items()))


def write_file(
    path: Path, units: Sequence[Unit], read: Callable[[Unit], Rows], names: tuple[str, ...] | None
) -> tuple[dict[str, dict[str, Any]], tuple[str, ...]]:
    """Write the rows of `units` to one file; returns the index entry of each recording, and the names.

    names: the features that all recordings must have; None: those of the first one.

    Raises:
        PackingError: recordings have different features.
    """
    entries: dict[str, dict[str, Any]] = {}
    writer: pq.ParquetWriter | None = None
    try:
        for number, group in enumerate(_groups(units, read)):
            first = 0
            for unit, rows in group:
                names = names or rows.names
                if rows.names != names:
                    raise PackingError(
                        f"{unit.recording}: its features differ from those of the other recordings"
                    )
                entries[unit.recording] = {
                    "key": unit.key,
                    "sha256": rows.sha256(),
                    "rows": len(rows),
                    "file": path.name,
                    "row_group": number,
                    "first": first,
                }
                if rows.damage != NO_DAMAGE:
                    entries[unit.recording]["damage"] = list(rows.damage)
                first += len(rows)
            table = pa.concat_tables([to_table(unit.recording, rows) for unit, rows in group])
            if writer is None:
                writer = parquet_writer(str(path), table.schema)
            writer.write_table(table.combine_chunks(), row_group_size=max(1, table.num_rows))
    finally:
        if writer is not None:
            writer.close()
    return entries, names or ()


def read_valid(payload: bytes) -> list[NDArray[np.bool_]]:
    """Return the column `valid` of each row group of a feature file, given its bytes."""
    with pq.ParquetFile(pa.BufferReader(payload)) as file:
        return [valid_of(file.read_row_group(i, columns=["valid"])) for i in range(file.num_row_groups)]


def _groups(units: Sequence[Unit], read: Callable[[Unit], Rows]) -> Iterator[list[tuple[Unit, Rows]]]:
    """Read recordings one after the other and give them in groups of at most GROUP_VALUES, or alone."""
    group: list[tuple[Unit, Rows]] = []
    held = 0
    for unit in units:
        rows = read(unit)
        if group and held + rows.values.size > GROUP_VALUES:
            yield group
            group, held = [], 0
        group.append((unit, rows))
        held += rows.values.size
    if group:
        yield group
