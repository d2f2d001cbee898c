"""Rating files of AVEC 2016 -> raters, times and ratings.

A file that cannot be read whole is refused with the line that is wrong. Files come with CRLF or LF,
with or without a byte order mark, blank lines and blanks after names.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.arff import TIMES, open_arff
from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.interface import GOLD
from pipeline.corpora.text_table import TableError, text_of, without_path
from pipeline.names import composed, refusal

Ratings = tuple[list[str], NDArray[np.float64], NDArray[np.float64]]


def read_gold_standard(path: Path) -> Ratings:
    """Read an ARFF file: [`gold`], times (frames,), ratings (1, frames).

    Raises:
        OSError: the file cannot be read.
        ValueError: the file is not such a table; the line is named.
    """
    file = open_arff(path)
    attributes = [attribute.name.lower() for attribute in file.attributes]
    time = next((place for place, name in enumerate(attributes) if name in TIMES), None)
    if time is None or len(attributes) < 2:
        raise ValueError(
            f"line {file.line}: found the attributes {attributes}, expected frameTime, GoldStandard"
        )
    value = attributes.index("goldstandard") if "goldstandard" in attributes else len(attributes) - 1
    table = np.stack(file.numbers([time, value]), axis=1)
    _require_ratings(table, file.row)
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
    places = [place for place in range(header + 1, len(lines)) if stripped[place].strip()]
    if not places:
        raise ValueError(f"line {len(lines)}: no rows, expected one per frame")
    table = _numbers(stripped, places, len(names))
    _require_ratings(table, lambda row: (places[row] + 1, lines[places[row]].strip()))
    return names[1:], table[:, 0], table[:, 1:].T


def _numbers(lines: list[str], places: list[int], width: int) -> NDArray[np.float64]:
    """Return the rows in the lines at `places`, counted from 0: (frames, width).

    Raises:
        ValueError: a row with another number of cells, or with a cell that is no number; the line is named.
    """
    rows = [lines[place].split(";") for place in places]
    for place, row in zip(places, rows, strict=True):
        if len(row) != width:
            raise ValueError(f"line {place + 1}: found '{lines[place].strip()}', expected {width} cells")
    try:
        return np.array(rows, dtype=np.float64)
    except ValueError:
        # only a broken file is searched cell by cell
        wrong = (
            place
            for place, row in zip(places, rows, strict=True)
            if any(finite(cell) is None for cell in row)
        )
        place = next(wrong, places[0])
        raise ValueError(
            f"line {place + 1}: found '{lines[place].strip()}', expected finite numbers"
        ) from None


def _require_ratings(table: NDArray[np.float64], row: Callable[[int], tuple[int, str]]) -> None:
    """Refuse ratings that are not finite, and times, the first column, that do not rise.

    row: gives line and text of a row of the table.

    Raises:
        ValueError: the line is named.
    """
    wrong = np.flatnonzero(~np.isfinite(table).all(axis=1))
    falls = np.flatnonzero(np.diff(table[:, 0]) <= 0) + 1
    if len(wrong):
        line, text = row(int(wrong[0]))
        raise ValueError(f"line {line}: found '{text}', expected finite numbers")
    if len(falls):
        line, text = row(int(falls[0]))
        raise ValueError(f"line {line}: found '{text}', expected a later time than the row before")


def _lines(path: Path) -> list[str]:
    """Return the lines of a file.

    Raises:
        ValueError: a byte is not UTF-8; the line is named.
    """
    try:
        return text_of(path).splitlines()
    except TableError as error:
        raise ValueError(without_path(str(error), path)) from None
