"""The list of files that failed, beside the tables of a folder, which share it."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from pipeline.names import harmless
from pipeline.predicting.journal import BLOCK
from pipeline.predicting.medium import Failure
from pipeline.running.alone import alone_in
from pipeline.running.errors import one_line

FAILED = "failed.csv"
FAILED_HEADER = ("file", "reason", "table")
"""Tables in one folder share the list: each run writes the lines of its own table and leaves the others."""


def write_failures(table: Path, failures: Sequence[Failure]) -> None:
    """Write the files of a table that failed into the list beside it, which goes where none is left.

    Lines of other tables stay, also those that another process writes at the same time.
    """
    path, name = table.with_name(FAILED), one_line(harmless(table.name))
    with alone_in(path.parent):
        others = [] if not path.is_file() else [row for row in _listed(path) if row[2] != name]
        own = [[harmless(cell) for cell in failure] + [name] for failure in sorted(failures)]
        if not own and not others:
            path.unlink(missing_ok=True)
            return
        partial = path.with_name(f".{path.name}.tmp")
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(FAILED_HEADER)
            rows.writerows(others + own)
        partial.replace(path)


def is_failed_list(path: Path) -> bool:
    """Say whether a file is a list of what failed, also one of an earlier version, without the table."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.readline(BLOCK).decode(errors="replace").rstrip().split(",")
    return tuple(header) in (FAILED_HEADER, FAILED_HEADER[:2])


def _listed(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", errors="backslashreplace", newline="") as file:
        return [row for row in list(csv.reader(file))[1:] if len(row) == len(FAILED_HEADER)]
