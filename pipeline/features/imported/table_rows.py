"""csv or Parquet tables of features -> rows of one recording after the other, bounded in memory.

Columns: `recording`, none or one of `time` and the pair `start, end` (seconds), then one per feature, in any
order. The rows of a recording stand together, so that one recording is in memory at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.features.imported.csv_table import Opened, open_csv
from pipeline.features.imported.given_rows import finite_rows
from pipeline.features.imported.parquet_table import open_parquet
from pipeline.features.imported.table_columns import Choice, Columns, FeatureTableError
from pipeline.location import Location, RemoteError
from pipeline.names import composed, refusal
from pipeline.store.rows import Rows

MOST_VALUES = 1 << 28
"""Numbers of one recording, 2 GiB: a few bytes of a compressed file may ask for any memory."""
ANY = Choice()


@dataclass
class TableRows:
    """A table, opened: its columns and, one after the other, its recordings."""

    path: Location
    opened: Opened
    seen: set[str] = field(default_factory=set)

    @property
    def columns(self) -> Columns:
        """Return the columns of times and features."""
        return self.opened.columns

    def recordings(self) -> Iterator[tuple[str, Callable[[], Rows]]]:
        """Give each recording's name and a function that returns its rows.

        The function raises MediaError where times are missing or do not rise; start and end are 0 in a
        table without times.

        Raises:
            FeatureTableError: a value is no number, a recording has no name or rows in two places.
        """
        parts: list[NDArray[np.float64]] = []
        name, count = None, 0
        for own, block in self._runs():
            if own != name:
                if name is not None:
                    yield name, self._rows(name, parts)
                if own in self.seen:
                    raise FeatureTableError(
                        f"{self.path}: the rows of recording '{own}' stand in several places, expected "
                        "together; sort the table by recording and time"
                    )
                self.seen.add(own)
                name, parts, count = own, [], 0
            parts.append(block)
            count += block.size
            if count > MOST_VALUES:
                raise FeatureTableError(
                    f"{self.path}: recording '{own}' has more than {MOST_VALUES} values, which would "
                    "fill the memory; expected fewer rows or columns, or several recordings"
                )
        if name is not None:
            yield name, self._rows(name, parts)

    def _rows(self, name: str, parts: list[NDArray[np.float64]]) -> Callable[[], Rows]:
        def rows() -> Rows:
            table = np.concatenate(parts)
            times = table[:, : len(self.columns.times)]
            with np.errstate(over="ignore"):  # what is too large for 32 bits is infinite, so no value
                values = table[:, len(self.columns.times) :].astype(np.float32)
            if not self.columns.times:
                zero = np.zeros(len(table))
                valid = np.asarray(np.isfinite(values).any(axis=1))
                return Rows(zero, zero, values, valid, self.columns.features)
            start, end = times[:, 0].copy(), times[:, 1].copy()
            return finite_rows(f"{self.path}: {name}", start, end, values, self.columns.features)

        return rows

    def _runs(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Give stretches of rows with one recording: its name, times and values (rows, columns)."""
        wanted = (*self.columns.times, *self.columns.features)
        bare, row = None, 0
        try:
            for block in self.opened.blocks:
                if not len(block):
                    continue
                names = _names(block)
                numbers = np.empty((len(block), len(wanted)))
                for place, column in enumerate(wanted):
                    numbers[:, place] = block.column(block.schema.get_field_index(column)).to_numpy(
                        zero_copy_only=False
                    )
                edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1), len(names)]
                for first, stop in pairwise(edges):
                    name = str(names[first])
                    if not name and np.isnan(numbers[first:stop]).all():
                        # lines of separators, which spreadsheets leave at the end
                        bare = row + first if bare is None else bare
                        continue
                    if not name or bare is not None:
                        place = (row + first if bare is None else bare) + 1
                        raise self.opened.explain(f"row {place}: found an empty recording, expected a name")
                    if refused := refusal(name):
                        raise self.opened.explain(f"row {row + first + 1}: {refused}")
                    yield name, numbers[first:stop]
                row += len(block)
        except RemoteError:
            raise
        except (pa.ArrowException, OSError) as error:
            raise self.opened.explain(str(error)) from None
        finally:
            self.opened.close()


def open_table(path: Location, choice: Choice = ANY) -> TableRows:
    """Open a table: a name that ends in .parquet is Parquet, any other csv.

    choice: which columns are features.

    Raises:
        FeatureTableError: no table, a missing or repeated column, a feature that is no number or is named
            like a label.
        OSError: the file cannot be read.
    """
    parquet = path.name.lower().endswith(".parquet")
    return TableRows(path, (open_parquet if parquet else open_csv)(path, choice))


def _names(block: pa.RecordBatch) -> NDArray[np.object_]:
    """Return the name of the recording of each row, trimmed and composed; empty where there is none."""
    found = block.column(block.schema.get_field_index("recording")).to_pylist()
    one = {name: composed((name or "").strip()) for name in set(found)}
    return np.asarray([one[name] for name in found], object)
