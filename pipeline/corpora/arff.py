"""ARFF files of a corpus -> their attributes and the columns of numbers; all are read here.

Files come with CRLF or LF, with or without a byte order mark, comments, blank lines, blanks after names,
names in quotes. Format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from pipeline.corpora.cell_numbers import is_number
from pipeline.corpora.text_table import MOST_COLUMNS
from pipeline.location import Location
from pipeline.names import refusal

TIMES = frozenset({"frametime", "timestamp", "time"})
"""What the attribute of a row's time, seconds, is called, in small letters."""
NO_VALUE = ("?", "nan", "NaN", "NAN")
"""Cells that stand for a missing value; an empty one does not."""
ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s*(.*)""", re.IGNORECASE)
DATA = re.compile(rb"^[ \t]*@data[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
SHOWN = 40
"""Characters of a wrong row that are shown."""


class ArffError(ValueError):
    """Report an ARFF file that cannot be used: its line, what was found and expected, without the path."""


class Attribute(NamedTuple):
    """A column: the line in which it is declared, its name without quotes, its type as written."""

    line: int
    name: str
    kind: str


class Arff(NamedTuple):
    """An ARFF file, opened: its attributes, the line of @data, from 1, and the bytes below that line."""

    attributes: tuple[Attribute, ...]
    line: int
    data: bytes

    def numbers(self, places: Sequence[int]) -> list[NDArray[np.float64]]:
        """Return the columns of numbers at `places` among the attributes, (rows,) each; NaN: no value.

        Raises:
            ArffError: no rows, a row with another number of cells, or a cell that is no number.
        """
        # pyarrow takes blanks for values and knows no comments
        data = self.data.replace(b", ", b",")  # the usual ones, ten times faster
        if b" " in data or b"\t" in data:
            data = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=,|\r?$)|(?<=,)[ \t]+", b"", data)
        if b"%" in data:
            data = re.sub(rb"(?m)^%.*$", b"", data)
        first = re.search(rb"\S.*", data)
        if first is None:
            raise ArffError(f"no rows below line {self.line} (@data), expected one per frame")
        columns = [str(place) for place in places]
        try:
            table = pyarrow.csv.read_csv(
                pa.BufferReader(data),
                read_options=pyarrow.csv.ReadOptions(
                    column_names=[str(place) for place in range(len(self.attributes))], use_threads=False
                ),
                parse_options=pyarrow.csv.ParseOptions(quote_char="'" if b"'" in first.group() else '"'),
                convert_options=pyarrow.csv.ConvertOptions(
                    include_columns=columns,
                    column_types=dict.fromkeys(columns, pa.float64()),
                    null_values=list(NO_VALUE),
                ),
            )
        except pa.ArrowInvalid as error:
            raise ArffError(self._first_wrong(places) or str(error)) from None
        return [table.column(column).to_numpy() for column in columns]

    def row(self, index: int) -> tuple[int, str]:
        """Return the line and the text of a row, which is counted from 0."""
        for place, found in enumerate(self._rows()):
            if place == index:
                return found
        raise IndexError(index)

    def _rows(self) -> Iterator[tuple[int, str]]:
        """Give line and text of each row: only a broken file is searched so."""
        for number, line in enumerate(self.data.decode("utf-8", "replace").split("\n"), self.line):
            text = line.strip()
            if text and not text.startswith("%"):
                yield number, text

    def _first_wrong(self, places: Sequence[int]) -> str:
        """Say what the first wrong row is."""
        for line, text in self._rows():
            if "'" in text or '"' in text:
                continue
            cells = [cell.strip() for cell in text.split(",")]
            where, shown = f"line {line}: found ", text[:SHOWN]
            if text.startswith("{"):
                return f"{where}a sparse row ('{shown}'), expected one value per attribute"
            if len(cells) != len(self.attributes):
                return f"{where}{len(cells)} cells ('{shown}'), expected {len(self.attributes)}"
            for place in places:
                if not is_number(cells[place], NO_VALUE):
                    return f"{where}{self.attributes[place].name} '{cells[place]}', expected a number"
        return ""


def open_arff(path: Location) -> Arff:
    """Open an ARFF file; cells are looked at when columns of them are asked for.

    Raises:
        ArffError: no line @data, a header that is not UTF-8, or a wrong attribute.
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        blob = file.read().removeprefix(b"\xef\xbb\xbf")
    mark = DATA.search(blob)
    if mark is None:
        raise ArffError("found no line @data, expected an ARFF header and rows")
    attributes = tuple(_attributes(_text(blob[: mark.start()])))
    return Arff(attributes, 1 + blob.count(b"\n", 0, mark.end()), blob[mark.end() :])


def _text(header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError as error:
        line = header.count(b"\n", 0, error.start) + 1
        raise ArffError(
            f"line {line}: byte 0x{header[error.start]:02x} is not UTF-8; save the header as UTF-8"
        ) from None


def _attributes(text: str) -> Iterator[Attribute]:
    count = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lower().lstrip().startswith("@attribute"):
            continue
        found = ATTRIBUTE.fullmatch(line.strip())
        if found is None:
            raise ArffError(f"line {number}: found '{line.strip()}', expected @attribute NAME TYPE")
        name, kind = found.groups()
        if name[0] in "'\"" and len(name) > 1:
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        name = name.strip()
        if refused := refusal(name):
            raise ArffError(f"line {number}: {refused} of an attribute")
        count += 1
        if count > MOST_COLUMNS:
            raise ArffError(f"found more than {MOST_COLUMNS} attributes, expected fewer")
        yield Attribute(number, name, kind.strip())
