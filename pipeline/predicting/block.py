"""Rows of one file as columns: the shape in which predictions go from who makes them to who writes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

TEXT, NUMBER, FLAG, TIME = "text", "number", "flag", "time"
"""What a column holds; a number that is missing is NaN, anything else None; a time is in seconds."""
KINDS = {"f": NUMBER, "i": NUMBER, "b": FLAG, "O": TEXT, "U": TEXT}
"""What an array holds, by NumPy's kind."""
Schema = Sequence[tuple[str, str]]
"""Name and kind of each column."""


class Column(NamedTuple):
    """A column: what it holds and its values, (rows,)."""

    kind: str
    values: NDArray[Any]

    @classmethod
    def of(cls, values: Any) -> Self:
        """Return an array as a column, by its type."""
        array = np.asarray(values)
        return cls(KINDS[array.dtype.kind], array)

    def padded(self, count: int) -> Column:
        """Return the column with missing values behind it."""
        lacking = count - len(self.values)
        return (
            self if lacking <= 0 else Column(self.kind, np.append(*self._alike(missing(self.kind, lacking))))
        )

    def _alike(self, others: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the values and others of one type."""
        if self.kind == NUMBER:
            return self.values, others.astype(self.values.dtype)
        return self.values.astype(object), others


def missing(kind: str, count: int) -> NDArray[Any]:
    """Return missing values, (count,)."""
    return np.full(count, np.nan) if kind in (NUMBER, TIME) else np.full(count, None, object)


@dataclass(frozen=True)
class Block:
    """Rows of one file. columns: by name, all of one length, the index first."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns["start"].values)

    @property
    def schema(self) -> Schema:
        """Return name and kind of each column."""
        return tuple((name, column.kind) for name, column in self.columns.items())

    @classmethod
    def indexed(
        cls,
        file: str,
        start: NDArray[np.float64],
        end: NDArray[np.float64],
        columns: Mapping[str, Column],
        cells: Mapping[str, str],
    ) -> Block:
        """Return rows with their index in front, and behind them cells that each row has."""
        count = len(start)
        index = {
            "file": Column(TEXT, np.full(count, file, object)),
            "start": Column(TIME, start),
            "end": Column(TIME, end),
        }
        behind = {name: Column(TEXT, np.full(count, cell, object)) for name, cell in cells.items()}
        return cls({**index, **columns, **behind})

    @classmethod
    def joined(cls, blocks: Iterable[Block]) -> Block:
        """Return the rows of blocks with the same columns, one after the other."""
        whole = list(blocks)
        return cls(
            {
                name: Column(kind, np.concatenate([block.columns[name].values for block in whole]))
                for name, kind in whole[0].schema
            }
        )

    def require(self, schema: Schema) -> None:
        """Refuse rows that do not belong into a table.

        Raises:
            ValueError: they have other columns.
        """
        if tuple(self.schema) != tuple(tuple(own) for own in schema):
            raise ValueError(
                f"found the columns {[name for name, _ in self.schema]}, the table has "
                f"{[name for name, _ in schema]}"
            )
