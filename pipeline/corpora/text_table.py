"""Text tables of a corpus (csv) -> their columns and, one after the other, their lines; all are read here.

Text is UTF-8, with or without a byte order mark. Cells are parted by commas, semicolons or tabs, whichever
the header shows. Blanks around cells go; names are in the composed form (`names.composed`). Empty lines, and
at the end lines of separators, are passed over. Everything wrong with a table is said at once.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from pipeline.corpora.cell_numbers import SHOWN
from pipeline.location import Location
from pipeline.names import composed, refusal

SEPARATORS = (",", ";", "\t")
MOST = 20
"""Faults of a table that are named; the others are counted."""
LONGEST = 1 << 24
"""Characters of a line: what is longer is no table, and would fill the memory."""
MOST_COLUMNS = 100_000
"""No table of features has more; a header that says so would fill the memory."""
SAVE = "save the table as 'CSV UTF-8'"
MARKS = {b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16", b"\x00\x00\xfe\xff": "UTF-32"}
Report = Callable[[int, str], None]
NOTHING: Mapping[str, str] = MappingProxyType({})


class TableError(ValueError):
    """Report a text table that cannot be used: a sentence per fault, with file and line."""


class Line(NamedTuple):
    """One line: its number in the file, from 1, and its cells by column."""

    number: int
    cells: dict[str, str]


class TextTable:
    """A text table, opened: iterating gives its lines that can be used, and notes what is wrong with others.

    header: the names of the columns, an empty one where a column has none; such a column is in no line.
    """

    def __init__(self, path: Location, separator: str, header: tuple[str, ...], rows: Any):
        self.path, self.separator, self.header = path, separator, header
        self.names: frozenset[str] = frozenset()
        self.as_written: frozenset[str] = frozenset()
        self.report: Report | None = None
        self._rows = rows
        self._faults: list[str] = []
        self._more = 0

    def where(self, line: int) -> str:
        """Return file and line, to begin a sentence with."""
        return f"{self.path}:{line}"

    def fault(self, line: int, text: str) -> None:
        """Note what is wrong with a line; all of it is raised when the table is closed."""
        if self.report is not None:
            self.report(line, text)
        elif len(self._faults) < MOST:
            self._faults.append(f"{self.where(line)}: {text}")
        else:
            self._more += 1

    def raise_faults(self) -> None:
        """Raise what was noted.

        Raises:
            TableError: something was.
        """
        if self._faults:
            more = [f"{self.path}: and {self._more} more"] if self._more else []
            raise TableError("\n".join(self._faults + more))

    def __iter__(self) -> Iterator[Line]:
        """Give the lines below the header; one with the wrong number of cells is noted and left out.

        Raises:
            TableError: a byte is not UTF-8, or a line is no line of a table.
        """
        columns = [(place, name) for place, name in enumerate(self.header) if name]
        bare: int | None = None
        for number, cells in self._numbered():
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                # [] is an empty line, which readers of csv pass over everywhere
                bare = number if len(cells) > 1 and bare is None else bare
                continue
            if bare is not None:
                self.fault(bare, "found a line of separators only, expected such lines at the end alone")
                bare = None
            if len(cells) != len(self.header):
                found = self.separator.join(cells)
                shown = f"{found[:SHOWN]}..." if len(found) > SHOWN else found
                self.fault(number, f"found {len(cells)} cells ('{shown}'), expected {len(self.header)}")
                continue
            line = Line(
                number,
                {
                    name: cells[place] if name in self.as_written else composed(cells[place])
                    for place, name in columns
                },
            )
            reasons = [f"{refused} in the column {name}" for name in self.header
                       if name in self.names and (refused := refusal(line.cells[name]))]  # fmt: skip
            for reason in reasons:
                self.fault(number, reason)
            if not reasons:
                yield line

    def _numbered(self) -> Iterator[tuple[int, list[str]]]:
        number = self._rows.line_num + 1
        try:
            for cells in self._rows:
                yield number, cells
                number = self._rows.line_num + 1
        except csv.Error as error:
            self.fault(number, f"not a line of a table ({error}); is a quote not closed?")
        except UnicodeDecodeError:
            raise _not_utf8(self.path) from None


@contextmanager
def text_table(
    path: Location,
    required: Collection[str] = (),
    names: Collection[str] | None = None,
    as_written: Collection[str] = (),
    hints: Mapping[str, str] = NOTHING,
    small: bool = False,
    report: Report | None = None,
    likely: Collection[str] = (),
    row_names: str = "",
) -> Iterator[TextTable]:
    """Open a text table; when the block is left, everything that was noted as wrong is raised.

    Args:
        path: of the file.
        required: columns that must be there.
        names: columns of names: neither control characters nor formulas of spreadsheets are taken. Without:
            those that are required.
        as_written: columns of which the cells are not brought into the composed form, such as paths.
        hints: what to add to the sentence of a missing column.
        small: columns are named in small letters, whatever the header has.
        likely: columns by which the separator is told where none is required.
        row_names: what the first column is called where the header has no name for it, as R writes tables.
        report: takes line and sentence of what is wrong with a line, instead of an error at the end.

    Raises:
        OSError: the file cannot be read.
        TableError: a column is missing or there twice, a byte is not UTF-8, or what was noted.
    """
    with path.open("r", encoding="utf-8-sig", newline="") as file:
        lines = iter(partial(file.readline, LONGEST), "")
        try:
            first = next(lines, "")
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
        if "\0" in first:
            raise TableError(f"{path}:1: found a NUL byte: not a table of text, or UTF-16; {SAVE}")
        separator, header = _header(first, required or likely, small)
        if row_names and header[0] == "":
            header = (row_names, *header[1:])
        _require(path, header, required, hints)
        rows = csv.reader(
            _bounded(path, first, lines), delimiter=separator, skipinitialspace=True, strict=True
        )
        try:
            if len(next(rows, [])) != len(header):
                raise TableError(f"{path}:1: found a line break within the name of a column")
        except csv.Error as error:
            raise TableError(f"{path}:1: not the header of a table ({error})") from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
        table = TextTable(path, separator, header, rows)
        table.names = frozenset(required if names is None else names)
        table.as_written = frozenset(as_written)
        table.report = report
        yield table
        table.raise_faults()


def text_of(path: Location) -> str:
    """Return the text of a file that is small, without its byte order mark.

    Raises:
        OSError: the file cannot be read.
        TableError: a byte is not UTF-8.
    """
    try:
        with path.open("r", encoding="utf-8-sig", newline="") as file:
            return str(file.read())
    except UnicodeDecodeError:
        raise _not_utf8(path) from None


def without_path(text: str, path: Location) -> str:
    """Return the sentences of a `TableError` as one line, for a list that names the file by itself."""
    sentences = [line.removeprefix(f"{path}:").strip() for line in text.splitlines()]
    return "; ".join(re.sub(r"^(\d+): ", r"line \1: ", sentence) for sentence in sentences)


def _header(first: str, likely: Collection[str], small: bool) -> tuple[str, tuple[str, ...]]:
    """Return the separator with which most of the likely columns are found, and the columns."""
    found = []
    for separator in SEPARATORS:
        cells = next(csv.reader([first], delimiter=separator, skipinitialspace=True), [])
        found.append((separator, tuple(composed(cell.strip()) for cell in cells)))
    if small:
        found = [(separator, tuple(name.lower() for name in header)) for separator, header in found]
    return max(found, key=lambda each: sum(name in each[1] for name in likely))  # of equal ones the comma


def _require(
    path: Location, header: tuple[str, ...], required: Collection[str], hints: Mapping[str, str]
) -> None:
    absent = [column for column in required if column not in header]
    if absent:
        listed = ",".join(header)
        shown = f"{listed[:SHOWN]},..." if len(listed) > SHOWN else listed
        raise TableError(
            f"{path}:1: missing column {', '.join(absent)} in '{shown}', expected {', '.join(required)}"
            + "".join(hints.get(column, "") for column in absent)
        )
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise TableError(f"{path}:1: column '{twice[0]}' occurs twice, expected once")
    for name in header:
        if refused := refusal(name):
            raise TableError(f"{path}:1: {refused} of a column")


def _bounded(path: Location, first: str, lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(_with(first, lines), 1):
        if len(line) >= LONGEST:
            raise TableError(f"{path}:{number}: a line of more than {LONGEST} characters, expected a table")
        yield line


def _with(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _not_utf8(path: Location) -> TableError:
    """Return the refusal with the line and the byte: only a broken file is searched for it."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(partial(file.readline, LONGEST), b""), 1):
            if number == 1:
                for mark, name in MARKS.items():
                    if line.startswith(mark):
                        return TableError(f"{path}:1: the table is {name}, expected UTF-8; {SAVE}")
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                # a file whose lines end in CR is one line here
                place = number + len(re.findall(rb"\r(?!\n)", line[: error.start]))
                return TableError(f"{path}:{place}: byte 0x{line[error.start]:02x} is not UTF-8; {SAVE}")
    return TableError(f"{path}: the text breaks off within a character, expected UTF-8; {SAVE}")
