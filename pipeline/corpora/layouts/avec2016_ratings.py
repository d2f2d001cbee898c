"""Rating files of AVEC 2016 -> raters, times and ratings.

A file that cannot be read whole is refused with the line that is wrong. Files come with CRLF or LF,
with or without a byte order mark, blank lines and blanks after names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.interface import GOLD
from pipeline.corpora.names import composed, refusal
from pipeline.corpora.text_table import TableError, finite, text_of, without_path

TIME_NAMES = frozenset({"frametime", "timestamp", "time"})
Ratings = tuple[list[str], NDArray[np.float64], NDArray[np.float64]]


def read_gold_standard(path: Path) -> Ratings:
    """Read an ARFF file: [`gold`], times (frames,), ratings (1, frames).

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not such a table; the line is named.
    """
    lines = _lines(path)
    attributes = []
    header = next((number for number, line in enumerate(lines) if line.strip().lower() == "@data"), None)
    if header is None:
        raise ValueError(f"line {len(lines)}: the file ends without @data, expected an ARFF header and rows")
    for line in lines[:header]:
        words = line.split()
        if words and words[0].lower() == "@attribute":
            attributes.append(words[1].strip("'\"").lower() if len(words) > 1 else "")
    time = next((place for place, name in enumerate(attributes) if name in TIME_NAMES), None)
    if time is None or len(attributes) < 2:
        raise ValueError(
            f"line {header + 1}: found the attributes {attributes}, expected frameTime, GoldStandard"
        )
    value = attributes.index("goldstandard") if "goldstandard" in attributes else len(attributes) - 1
    table = _numbers(lines, header + 1, ",", (time, value), len(attributes), skip="%")
    return [GOLD], table[:, 0], table[:, 1:].T


def read_individual(path: Path) -> Ratings:
    """Read a table of raters: their names, times (frames,), ratings (raters, frames).

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not such a table; the line is named.
    """
    lines = _lines(path)
    header = next((number for number, line in enumerate(lines) if line.strip()), None)
    if header is None:
        raise ValueError("line 1: the file is empty, expected 'time;' and one column per rater")
    names = [composed(name.strip()) for name in lines[header].rstrip(" ;").split(";")]
    for name in names:
        if refused := refusal(name):
            raise ValueError(f"line {header + 1}: {refused} of a rater")
    if (
        len(names) < 2
        or names[0].lower() != "time"
        or len(set(names)) < len(names)
        or not all(names)
        or GOLD in names
    ):
        header_found = lines[header].strip()
        raise ValueError(
            f"line {header + 1}: found the header '{header_found}', expected 'time;' and one column per rater"
        )
    stripped = [line.rstrip(" ;") for line in lines]
    table = _numbers(stripped, header + 1, ";", tuple(range(len(names))), len(names))
    return names[1:], table[:, 0], table[:, 1:].T


def _numbers(
    lines: list[str], first: int, separator: str, columns: tuple[int, ...], width: int, skip: str = ""
) -> NDArray[np.float64]:
    """Return `columns` of the rows from line `first` (counted from 0) on: (frames, columns).

    Raises:
        ValueError: a row with another number of cells than `width`, or with a cell that is no
            finite number, no rows, or times that do not rise; the line is named.
    """
    places = [
        place
        for place in range(first, len(lines))
        if lines[place] and not lines[place].isspace() and not (skip and lines[place].startswith(skip))
    ]
    if not places:
        raise ValueError(f"line {len(lines)}: no rows, expected one per frame")
    rows = [lines[place].split(separator) for place in places]
    try:
        if any(len(row) != width for row in rows):
            raise ValueError
        table = np.array([[row[column] for column in columns] for row in rows], dtype=np.float64)
    except ValueError:
        table = np.full((len(rows), len(columns)), np.nan)
    if not np.isfinite(table).all():
        _raise_at(lines, places, rows, width, lambda row: [row[column] for column in columns])
    falls = np.flatnonzero(np.diff(table[:, 0]) <= 0)
    if len(falls):
        number = places[int(falls[0]) + 1]
        raise ValueError(
            f"line {number + 1}: found '{lines[number].strip()}', expected a later time than the row before"
        )
    return table


def _raise_at(
    lines: list[str],
    places: list[int],
    rows: list[list[str]],
    width: int,
    cells: Callable[[list[str]], list[str]],
) -> NoReturn:
    """Raise for the first row that is not numbers: only a broken file is searched cell by cell."""
    for place, row in zip(places, rows, strict=True):
        where = f"line {place + 1}: found '{lines[place].strip()}', expected "
        if len(row) != width:
            raise ValueError(f"{where}{width} cells")
        if any(finite(cell) is None for cell in cells(row)):
            raise ValueError(f"{where}finite numbers")
    raise ValueError(f"line {places[0] + 1}: found rows that are no numbers, expected finite numbers")


def _lines(path: Path) -> list[str]:
    """Return the lines of a file.

    Raises:
        ValueError: a byte is not UTF-8; the line is named.
    """
    try:
        return text_of(path).splitlines()
    except TableError as error:
        raise ValueError(without_path(str(error), path)) from None
