"""A table that names files -> its rows: files, or parts of them, and the cells of its other columns.

Columns: `file`; `start` and `end`, if parts of files are meant, in seconds or as pandas and audformat write
durations (`0 days 00:00:01.5`), empty or NaT where a part is open; `transcript`, the words. A table of an
audformat database is such a table, as csv or Parquet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Any

from pipeline.corpora.cell_numbers import finite, has_decimal_comma
from pipeline.corpora.spelling import Spelling
from pipeline.corpora.text_table import TableError, text_table
from pipeline.corpora.transcripts import TRANSCRIPT
from pipeline.predicting.medium import InputError, Part

READ = ("file", "start", "end")
"""Columns that are read; all others are kept."""
EMPTY = ("", "nat", "nan", "none", "<na>")
DURATION = re.compile(r"^[^,_]*([a-zA-Zµ]|:)[^,_]*$")
"""A duration names its units or parts them; a number with a comma is neither."""
HINTS = {"file": "; the column `file` names the media"}
Take = Callable[[str, Path | None, Part, dict[str, str], str], None]


@dataclass(frozen=True)
class InputTable:
    """Rows of a table: name, path (None: not to be read), part, other cells, reason of a refusal."""

    rows: tuple[tuple[str, Path | None, Part, dict[str, str], str], ...]

    def into(self, take: Take) -> None:
        """Give each row to `take`."""
        for row in self.rows:
            take(*row)


def read_table(path: Path, root: Path | None = None) -> InputTable:
    """Read a table of files.

    path: of a csv or Parquet file, or of the folder of an audformat database with one such table. root:
    folder of the files; None: that of the table.

    Raises:
        InputError: a database has no table of files or several; a Parquet file cannot be read.
        TableError: lines of a csv that cannot be used, all of them.
    """
    if path.is_dir():
        path = _only_table(path)
    read = _of_parquet if path.suffix.lower() == ".parquet" else _of_text
    spelling = Spelling(root or path.parent)
    return InputTable(tuple(_row(spelling, *found) for found in read(path)))


def _row(
    spelling: Spelling, name: str, part: Part, cells: dict[str, str]
) -> tuple[str, Path | None, Part, dict[str, str], str]:
    """Return a row with the path of its file, or with the reason why that is not to be read."""
    named = Path(name)
    if "\0" in name:
        return name.replace("\0", "\\0"), None, part, cells, "found a NUL in its name, which no file has"
    if ".." in named.parts or ".." in PureWindowsPath(name).parts:
        reason = (
            f"'{name}' leads out of its folder by '..', expected a path below {spelling.root} (--root) or an "
            "absolute one"
        )
        return name, None, part, cells, reason
    if PureWindowsPath(name).drive and not named.is_absolute():
        reason = f"'{name}' is a path of another machine, expected one below {spelling.root} (--root)"
        return name, None, part, cells, reason
    found = spelling.on_disk(name)
    if not isinstance(found, Path):
        return name, None, part, cells, f"'{name}' is a URL, and files are read from this machine only"
    return name, Path(spelling.root) / found, part, cells, ""  # type: ignore[arg-type]


def _of_text(path: Path) -> Iterator[tuple[str, Part, dict[str, str]]]:
    with text_table(path, ("file",), names=(), as_written=("file",), hints=HINTS) as table:
        for line in table:
            cells = line.cells
            try:
                yield _taken(cells)
            except ValueError as error:
                table.fault(line.number, str(error))


def _taken(cells: dict[str, str]) -> tuple[str, Part, dict[str, str]]:
    """Return name, part and other cells of a row.

    Raises:
        ValueError: no file is named, or its times are none.
    """
    if not cells["file"]:
        raise ValueError("found no name in the column file")
    start, end = _seconds(cells.get("start", ""), "start"), _seconds(cells.get("end", ""), "end")
    if (start or 0.0) < 0 or (end is not None and end <= (start or 0.0)):
        raise ValueError(
            f"found start '{cells.get('start', '')}' and end '{cells.get('end', '')}', expected 0 <= start "
            "< end"
        )
    others = {name: cell for name, cell in cells.items() if name not in READ}
    return cells["file"], Part(start or 0.0, end, cells.get(TRANSCRIPT)), others


def _seconds(cell: str, column: str) -> float | None:
    """Return a time in seconds, None where it is open.

    Raises:
        ValueError: the cell is neither a number nor a duration.
    """
    if cell.lower() in EMPTY:
        return None
    number = finite(cell)
    if number is not None:
        return number
    import pandas as pd

    try:
        if not DURATION.search(cell):  # pandas would take nanoseconds for seconds, and `2,5` for 25
            raise ValueError
        return float(pd.Timedelta(cell).total_seconds())
    except ValueError:
        point = " with a decimal point" if has_decimal_comma(cell) else ""
        raise ValueError(
            f"found '{cell[:40]}' in the column {column}, expected seconds{point} or a "
            "duration such as 0 days 00:00:01.5"
        ) from None


def _of_parquet(path: Path) -> Iterator[tuple[str, Part, dict[str, str]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        if "file" not in file.schema_arrow.names:
            raise InputError(
                f"{path}: missing column file in {file.schema_arrow.names}, which names the media"
            )
        number = 0
        for batch in file.iter_batches():
            for row in batch.to_pylist():
                number += 1
                try:
                    yield _taken({str(key): _cell(value) for key, value in row.items()})
                except ValueError as error:
                    raise TableError(f"{path}: row {number}: {error}") from None
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a Parquet file that can be read ({error})") from None


def _cell(value: Any) -> str:
    """Return a value as the cell of a csv would have it; durations in seconds."""
    if value is None:
        return ""
    seconds = getattr(value, "total_seconds", None)
    return str(seconds() if seconds is not None else value).strip()


def _only_table(folder: Path) -> Path:
    """Return the one table of files of an audformat database.

    Raises:
        InputError: there is none, or several; which.
    """
    tables = sorted(path for kind in ("csv", "parquet") for path in folder.glob(f"db.*.{kind}"))
    found = [path for path in tables if _names_files(path)]
    if not found:
        raise InputError(
            f"{folder}: an audformat database without a table of files (db.<name>.csv or db.<name>.parquet), "
            "expected one; name the media, or the folder they are in"
        )
    if len(found) > 1:
        raise InputError(
            f"{folder}: an audformat database with {len(found)} tables of files as csv or Parquet, expected "
            f"one; name it, such as {folder / found[0].name}"
        )
    return found[0]


def _names_files(path: Path) -> bool:
    if path.suffix == ".csv":
        with text_table(path, names=(), likely=("file",)) as table:
            return "file" in table.header
    import pyarrow.parquet as pq

    return "file" in pq.read_schema(path).names
