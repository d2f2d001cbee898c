"""One ARFF file of features, as AVEC 2016 distributes them -> rows with their times.

Columns that are no features stand among the others under varying names and are told by them
(`NOT_FEATURES`). Files come with CRLF or LF, with or without a byte order mark, blank lines, blanks after
names, names in quotes. Format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from pipeline.corpora.names import refusal
from pipeline.features.imported.given_rows import RESERVED, finite_rows
from pipeline.features.imported.table_columns import MOST_COLUMNS
from pipeline.features.media.opening import MediaError
from pipeline.location import Location
from pipeline.store.rows import Rows

TIMES = frozenset({"frametime", "timestamp", "time"})
NOT_FEATURES = TIMES | {"name", "class", "instance_name"}
"""In small letters."""
NUMBERS = ("numeric", "real", "integer")
ATTRIBUTE = re.compile(r"""@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s*(.*)""", re.IGNORECASE)
DATA = re.compile(rb"^[ \t]*@data[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
MISSING = ["?", "nan", "NaN", "NAN"]


class Header(NamedTuple):
    """The attributes of a file: their names, and the place of the time column."""

    names: list[str]
    time: int


def read_arff(path: Location, exclude: Collection[str] = ()) -> Rows:
    """Read the rows of one recording; start and end are the row's time, seconds.

    exclude: features that are left out. A missing value (`?`) is NaN. `valid`: at least one feature is a
    finite number.

    Raises:
        MediaError: no such file, or it is not such a table: what was found, where, and what was expected.
    """
    try:
        with path.open("rb") as file:
            blob = file.read().removeprefix(b"\xef\xbb\xbf")
    except FileNotFoundError:
        raise MediaError(f"{path}: no such file") from None
    except OSError as error:
        raise MediaError(f"{path}: cannot be read ({error.strerror or error})") from None
    mark = DATA.search(blob)
    if mark is None:
        raise MediaError(f"{path}: found no line @data, expected an ARFF header and rows")
    header = _header(path, _text(path, blob[: mark.start()]))
    table = _table(path, blob[mark.end() :], header, 1 + blob.count(b"\n", 0, mark.end()))
    features = [
        place
        for place, name in enumerate(header.names)
        if name.lower() not in NOT_FEATURES and name not in exclude
    ]
    values = np.empty((table.num_rows, len(features)), np.float32)
    for column, place in enumerate(features):
        values[:, column] = table.column(str(place)).to_numpy()
    times = table.column(str(header.time)).to_numpy()
    return finite_rows(str(path), times, times, values, tuple(header.names[place] for place in features))


def _text(path: Location, header: bytes) -> str:
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError as error:
        line = header.count(b"\n", 0, error.start) + 1
        raise MediaError(
            f"{path}: line {line}: byte 0x{header[error.start]:02x} is not UTF-8; save the header as UTF-8"
        ) from None


def _header(path: Location, text: str) -> Header:
    names: list[str] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.lower().lstrip().startswith("@attribute"):
            continue
        found = ATTRIBUTE.fullmatch(line.strip())
        if found is None:
            raise MediaError(f"{path}: line {number}: found '{line.strip()}', expected @attribute NAME TYPE")
        name, kind = found.groups()
        if name[0] in "'\"" and len(name) > 1:
            name = re.sub(r"\\(.)", r"\1", name[1:-1])
        name = name.strip()
        if name.lower() not in NOT_FEATURES and kind.strip().lower() not in NUMBERS:
            raise MediaError(
                f"{path}: line {number}: attribute '{name}' is '{kind.strip()}', expected numeric, or one of "
                f"{', '.join(sorted(NOT_FEATURES))}, which are no features"
            )
        if refused := refusal(name):
            raise MediaError(f"{path}: line {number}: {refused} of an attribute")
        if len(names) > MOST_COLUMNS:
            raise MediaError(f"{path}: found more than {MOST_COLUMNS} attributes, expected fewer")
        if name in RESERVED or name in seen:
            why = "is used by feature tables themselves" if name in RESERVED else "occurs twice"
            raise MediaError(f"{path}: line {number}: the attribute name '{name}' {why}; rename it")
        names.append(name)
        seen.add(name)
    times = [place for place, name in enumerate(names) if name.lower() in TIMES]
    if len(times) != 1:
        raise MediaError(
            f"{path}: found {len(times)} time columns among {len(names)} attributes "
            f"({', '.join(names[:4])}{', ...' if len(names) > 4 else ''}), expected frameTime or timeStamp"
        )
    if all(name.lower() in NOT_FEATURES for name in names):
        raise MediaError(f"{path}: found no features among the attributes {', '.join(names)}")
    return Header(names, times[0])


def _table(path: Location, data: bytes, header: Header, line: int) -> pa.Table:
    """Parse the numbers below @data; columns are called by their place. line: number of the line of @data."""
    # pyarrow takes blanks for values and knows no comments
    data = data.replace(b", ", b",")  # the usual ones, ten times faster
    if b" " in data or b"\t" in data:
        data = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=,|\r?$)|(?<=,)[ \t]+", b"", data)
    if b"%" in data:
        data = re.sub(rb"(?m)^%.*$", b"", data)
    first = re.search(rb"\S.*", data)
    if first is None:
        raise MediaError(f"{path}: no rows below line {line} (@data), expected one per frame")
    places = [str(place) for place in range(len(header.names))]
    numbers = [
        place
        for place, name in zip(places, header.names, strict=True)
        if name.lower() not in NOT_FEATURES or place == str(header.time)
    ]
    try:
        return pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(column_names=places, use_threads=False),
            parse_options=pyarrow.csv.ParseOptions(quote_char="'" if b"'" in first.group() else '"'),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=numbers,
                column_types=dict.fromkeys(numbers, pa.float64()),
                null_values=MISSING,
            ),
        )
    except pa.ArrowInvalid as error:
        raise MediaError(f"{path}: {_first_wrong(data, header, numbers, line) or error}") from None


def _first_wrong(data: bytes, header: Header, numbers: list[str], line: int) -> str:
    """Say what the first wrong row is: only a broken file is searched cell by cell."""
    for number, row in enumerate(data.decode("utf-8", "replace").split("\n"), line):
        cells = row.strip().split(",")
        if cells == [""] or "'" in row or '"' in row:
            continue
        where = f"line {number}: found "
        if row.lstrip().startswith("{"):
            return f"{where}a sparse row ('{row.strip()[:40]}'), expected one value per attribute"
        if len(cells) != len(header.names):
            return f"{where}{len(cells)} cells ('{row.strip()[:40]}'), expected {len(header.names)}"
        for place, cell in enumerate(cells):
            if str(place) in numbers and not _is_number(cell):
                return f"{where}{header.names[place]} '{cell}', expected a number"
    return ""


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip() in MISSING
    return True
