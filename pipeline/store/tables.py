"""A directory of feature rows, as stages exchange it: packed Parquet files and `index.json`.

Columns are `recording, start, end` (seconds, float64), one float32 column per feature, then
`valid`. How recordings share files is in `packing.py`.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from pipeline.names import harmless
from pipeline.store.digest import sha256_of
from pipeline.store.kept_tables import KeptTable
from pipeline.store.packing import FORMAT, Place, Unit, spread, write_file
from pipeline.store.partial import partial_of
from pipeline.store.rows import Rows
from pipeline.store.table_index import TableError, again, read_index


class Failure(NamedTuple):
    """A recording that could not be processed, and why, in words."""

    recording: str
    stage: str
    reason: str


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
            TableError: no index, or one that was edited; a file is missing or is not what the index says.
        """
        index = read_index(directory)
        for name, sha256 in index["files"].items():
            path = directory / name
            if not path.is_file():
                raise TableError(f"{path}: missing; run `dvc checkout` or `dvc pull`")
            if sha256_of(path) != sha256:
                raise TableError(
                    f"{path}: damaged (its sha256 is not the one in index.json); {again(directory)}"
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
        return Place(
            self.directory / entry["file"], entry["row_group"], entry["first"], entry["rows"], recording
        )

    def read(self, recording: str) -> Rows:
        """Read the rows of one recording.

        Raises:
            TableError: the recording is not in the table, or its rows are not what the index says.
        """
        rows = self.place(recording).read()
        if rows.names != self.names:
            path = self.directory / "index.json"
            raise TableError(f"{path}: names other features than its files; {again(self.directory)}")
        return rows

    def in_file_order(self, recordings: Iterable[str]) -> list[str]:
        """Return recordings in the order in which reading them costs least."""
        return sorted(recordings, key=self.place)

    def failures(self) -> list[Failure]:
        """Return the recordings that could not be processed."""
        with (self.directory / "failures.csv").open(newline="", encoding="utf-8") as file:
            return [Failure(**row) for row in csv.DictReader(file)]


def write_table(
    directory: Path,
    units: Sequence[Unit],
    read: Callable[[Unit], Rows],
    failures: Iterable[Failure],
    about: Mapping[str, Any],
    kept: KeptTable | None = None,
) -> None:
    """Write a feature table from the units of a store, one row group in memory at a time.

    The table is written beside `directory` and renamed at the end: no half-written table is ever
    read. Same units, same bytes.

    units: the recordings and their keys. read: unit -> rows. about: what the index says of the
    table's origin (parameters, versions). kept: the table's last version; files that did not change
    are copied from it.

    Raises:
        PackingError: recordings have different features.
    """
    partial = partial_of(directory)
    names: tuple[str, ...] | None = None
    entries: dict[str, Any] = {}
    files: dict[str, str] = {}
    for name, members in spread(units).items():
        own = kept.take(partial / name, members, names) if kept is not None else None
        if kept is not None and own is not None:
            names, files[name] = kept.names, kept.index["files"][name]
        else:
            own, names = write_file(partial / name, members, read, names)
            files[name] = sha256_of(partial / name)
        entries |= own
    index = {
        "about": dict(about),
        "features": names or (),
        "files": files,
        "format": FORMAT,
        "recordings": entries,
    }
    (partial / "index.json").write_text(_format_index(index), encoding="utf-8")
    write_failures(partial / "failures.csv", failures)
    shutil.rmtree(directory, ignore_errors=True)
    partial.rename(directory)


def _format_index(index: Mapping[str, Any]) -> str:
    """Return the index as JSON, sorted by key, one line per entry: an indent costs ten times as long."""
    parts = []
    for key, value in sorted(index.items()):
        if isinstance(value, dict):
            lines = [f"  {json.dumps(k)}: {json.dumps(v, sort_keys=True)}" for k, v in sorted(value.items())]
            text = "{\n" + ",\n".join(lines) + "\n }"
        else:
            text = json.dumps(value)
        parts.append(f" {json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def write_failures(path: Path, failures: Iterable[Failure]) -> None:
    """Write the failure table (csv: recording, stage, reason); nothing in it is a formula."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Failure._fields)
        writer.writerows([harmless(cell) for cell in failure] for failure in sorted(failures))
