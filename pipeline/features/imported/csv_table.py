"""A csv of features -> its columns and blocks of rows, parsed by Arrow; a wrong one is searched line by line.

Arrow is some twenty times as fast as Python, and its errors name neither columns nor lines: what it refuses
is read again by `text_table`, which every text table passes.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, NamedTuple

import pyarrow as pa
import pyarrow.csv

from pipeline.corpora.cell_numbers import SHOWN, has_decimal_comma, is_number
from pipeline.corpora.text_table import TableError, text_table
from pipeline.features.imported.table_columns import Choice, Columns, FeatureTableError, columns_of
from pipeline.location import Location

BLOCK = 1 << 22
"""Bytes of a csv parsed at a time."""
NO_VALUE = [*pyarrow.csv.ConvertOptions().null_values, *(" " * blanks for blanks in range(1, 17))]
"""Cells that stand for a missing value."""
MOST_OF_COLUMN = 3
"""Wrong cells of a column that are named: a column of words is wrong in every line."""


class Opened(NamedTuple):
    """A table, opened: columns, blocks of rows, how it is closed, and what says what is wrong with it."""

    columns: Columns
    blocks: Iterator[pa.RecordBatch]
    close: Callable[[], None]
    explain: Callable[[str], FeatureTableError]


def open_csv(path: Location, choice: Choice) -> Opened:
    """Open a csv.

    Raises:
        FeatureTableError: no text table, or `columns_of` refuses its columns.
        OSError: the file cannot be read.
    """
    try:
        with text_table(path, names=(), likely=("recording",)) as table:
            separator, header = table.separator, table.header
    except TableError as error:
        raise FeatureTableError(str(error)) from None
    columns = columns_of(path, header, choice)

    def explain(error: str) -> FeatureTableError:
        return _explained(path, columns, choice, error)

    def invalid(row: Any) -> str:
        # spreadsheets leave lines of separators or blanks at the end
        return "error" if row.text.strip(separator + " \t") else "skip"

    # Arrow reads ahead in a thread of its own, which should not need Python's files
    file: Any = pa.OSFile(str(path)) if isinstance(path, Path) else _Ending(path.open("rb"))
    try:
        reader = pyarrow.csv.open_csv(
            file,
            read_options=pyarrow.csv.ReadOptions(
                column_names=list(header), skip_rows=1, block_size=BLOCK, use_threads=False
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=separator, invalid_row_handler=invalid),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={"recording": pa.string(), **dict.fromkeys(columns.numbers, pa.float64())},
                include_columns=["recording", *columns.numbers],
                null_values=NO_VALUE,
            ),
        )
    except pa.ArrowInvalid as error:
        file.close()
        raise explain(str(error)) from None
    except BaseException:
        file.close()
        raise

    def close() -> None:
        if isinstance(file, _Ending):
            file.end()
            # the thread is done when it has seen the end
            with suppress(StopIteration, pa.ArrowException, OSError):
                while True:
                    reader.read_next_batch()
        reader.close()
        file.close()

    return Opened(columns, iter(reader), close, explain)


class _Ending(io.RawIOBase):
    """A file of Python's that Arrow reads ahead of, and that can be told to be at its end.

    A thread of Arrow's that is still inside such a file when Python ends takes the process down ("terminate
    called without an active exception").
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.ended = False
        self.reading = Lock()

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        with self.reading:
            return b"" if self.ended else self.file.read(size)

    def end(self) -> None:
        """Be at the end from now on; waits for who reads just now."""
        with self.reading:
            self.ended = True

    def close(self) -> None:
        """Close the file."""
        self.file.close()
        super().close()


def _explained(path: Location, columns: Columns, choice: Choice, error: str) -> FeatureTableError:
    """Return all that is wrong with a csv, by line; where nothing is found, what Arrow says."""
    wrong: Counter[str] = Counter()
    try:
        with text_table(path, ("recording",)) as table:
            for line, cells in table:
                if not cells["recording"]:
                    table.fault(line, "found an empty recording, expected a name")
                for name in columns.numbers:
                    if is_number(cells[name], NO_VALUE):
                        continue
                    wrong[name] += 1
                    if wrong[name] <= MOST_OF_COLUMN:
                        time = name in columns.times
                        table.fault(line, _no_number(name, cells[name], choice, time))
    except TableError as found:
        return FeatureTableError(str(found))
    return FeatureTableError(f"{path}: not a table ({error})")


def _no_number(name: str, cell: str, choice: Choice, time: bool) -> str:
    shown = f"{cell[:SHOWN]}..." if len(cell) > SHOWN else cell
    if has_decimal_comma(cell):
        return f"found '{shown}' in column {name}, expected a number with a decimal point"
    if time:
        return f"found '{shown}' in column {name}, expected seconds from the beginning of the recording"
    return (
        f"found '{shown}' in column {name}, expected a number; `exclude: [{name}]` under {choice.entry} "
        "leaves the column out"
    )
