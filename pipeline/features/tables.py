"""A directory of feature rows, as stages exchange it: packed Parquet files and `index.json`.

Columns are `recording, start, end` (seconds, float64), one float32 column per feature, then
`valid`. A recording is one row group, so that writing and reading hold one recording in memory.
Recordings are spread over at most 256 files by the hash of their names: adding one recording changes
one file, and a corpus of 100,000 utterances stays below 500 files.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.features.rows import Rows, from_table, parquet_writer, to_table

RECORDINGS_PER_FILE = 64
MOST_FILES = 256


class TableError(ValueError):
    """Report a feature table that cannot be read: which file, what was found, what to do."""


class Failure(NamedTuple):
    """A recording that could not be processed, and why, in words."""

    recording: str
    stage: str
    reason: str


class Unit(NamedTuple):
    """A recording's finished rows: their key in the store."""

    recording: str
    key: str


class Place(NamedTuple):
    """Where the rows of one recording lie: a Parquet file and the row group in it."""

    path: Path
    row_group: int

    def read(self) -> Rows:
        """Read the rows."""
        with pq.ParquetFile(self.path) as file:
            return from_table(file.read_row_group(self.row_group))


@dataclass(frozen=True)
class FeatureTable:
    """A feature table on disk, opened for reading."""

    directory: Path
    index: Mapping[str, Any]

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Open the table in a directory and verify the sha256 of its files.

        DVC accepts a damaged cache object silently, so the files are checked before use.

        Raises:
            TableError: no index, a file is missing or is not what the index says.
        """
        try:
            index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TableError(f"{directory}: no index.json; run `dvc repro` or `dvc pull`") from None
        except ValueError:
            raise TableError(f"{directory / 'index.json'}: damaged (no JSON); {_again(directory)}") from None
        for name, sha256 in index["files"].items():
            path = directory / name
            if not path.is_file():
                raise TableError(f"{path}: missing; run `dvc checkout` or `dvc pull`")
            if _file_sha256(path) != sha256:
                raise TableError(
                    f"{path}: damaged (its sha256 is not the one in index.json); {_again(directory)}"
                )
        return cls(directory, index)

    @property
    def recordings(self) -> list[str]:
        """Return the recordings that have rows, sorted."""
        return sorted(self.index["recordings"])

    @property
    def names(self) -> tuple[str, ...]:
        """Return the feature names."""
        return tuple(self.index["features"])

    def key(self, recording: str) -> str:
        """Return the store key of a recording's rows."""
        return str(self.index["recordings"][recording]["key"])

    def place(self, recording: str) -> Place:
        """Return where a recording's rows lie.

        Raises:
            TableError: the recording is not in the table.
        """
        entry = self.index["recordings"].get(recording)
        if entry is None:
            raise TableError(f"{self.directory}: no recording '{recording}'")
        return Place(self.directory / entry["file"], entry["row_group"])

    def read(self, recording: str) -> Rows:
        """Read the rows of one recording.

        Raises:
            TableError: the recording is not in the table.
        """
        return self.place(recording).read()

    def failures(self) -> list[Failure]:
        """Return the recordings that could not be processed."""
        with (self.directory / "failures.csv").open(newline="", encoding="utf-8") as file:
            return [Failure(**row) for row in csv.DictReader(file)]


def write_table(
    directory: Path, units: Sequence[Unit], read: Any, failures: Iterable[Failure], about: Mapping[str, Any]
) -> None:
    """Write a feature table from the units of a store, one recording in memory at a time.

    The table is written beside `directory` and renamed at the end: no half-written table is ever
    read. Same units, same bytes.

    units: the recordings and their keys. read: unit -> Rows. about: what the index says of the
    table's origin (parameters, versions).

    Raises:
        TableError: recordings have different features.
    """
    partial = directory.with_name(f".{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    names: tuple[str, ...] | None = None
    entries: dict[str, Any] = {}
    files: dict[str, str] = {}
    for name, members in _spread(units).items():
        writer: pq.ParquetWriter | None = None
        try:
            for group, unit in enumerate(members):
                rows: Rows = read(unit)
                if names is None:
                    names = rows.names
                if rows.names != names:
                    raise TableError(
                        f"{unit.recording}: its features differ from those of the other recordings"
                    )
                table: pa.Table = to_table(unit.recording, rows)
                if writer is None:
                    writer = parquet_writer(str(partial / name), table.schema)
                writer.write_table(table, row_group_size=max(1, len(rows)))
                entries[unit.recording] = {
                    "key": unit.key,
                    "sha256": rows.sha256(),
                    "rows": len(rows),
                    "file": name,
                    "row_group": group,
                }
        finally:
            if writer is not None:
                writer.close()
        files[name] = _file_sha256(partial / name)
    index = {"about": dict(about), "features": names or (), "files": files, "recordings": entries}
    (partial / "index.json").write_text(json.dumps(index, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    write_failures(partial / "failures.csv", failures)
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write the failure table (csv: recording, stage, reason)."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Failure._fields)
        writer.writerows(sorted(failures))


def _spread(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Spread recordings over files by the hash of their names; the number of files is a power of two."""
    count = 1
    while count < MOST_FILES and count * RECORDINGS_PER_FILE < len(units):
        count *= 2
    packed: dict[str, list[Unit]] = {}
    for unit in sorted(units):
        number = int(hashlib.sha256(unit.recording.encode()).hexdigest()[:8], 16) % count
        packed.setdefault(f"part-{number:03d}-of-{count:03d}.parquet", []).append(unit)
    return dict(sorted(packed.items()))


def _again(directory: Path) -> str:
    return (
        f"fetch it again with `python -m stages.repull {directory}`, which also removes damaged objects "
        "from DVC's cache, then run `dvc repro`"
    )


def _file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
