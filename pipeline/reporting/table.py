"""One table: for the page (sortable, copied from there) and for results.tex alike."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pipeline.catalogue.systems import MARK, REFERENCE, label
from pipeline.reporting.wording import number, whole

GAIN, LOSS = "▲", "▼"
"""Marks of an established difference from the reference."""
BEST = "★"
"""Mark of the best value of a column, so that it is not said by bold type alone."""
ALL_MODALITIES = MARK
"""Mark of a system that needs all modalities when it is used."""

MEANINGS = {
    BEST: "best of the systems that need the target modality alone",
    GAIN: f"above {label(REFERENCE)}, established",
    LOSS: f"below {label(REFERENCE)}, established",
    ALL_MODALITIES: "needs all modalities when it is used: a bound, no rival",
}
"""What the marks mean."""


class Cell(NamedTuple):
    """One cell.

    text: as shown. value: what the column is sorted by, None to sort by the text. marks: behind the text.
    detail: a second line, small. link: where the text leads, such as `#audio-video-arousal`. why: of a dash,
    the reason, which the pointer shows and a screen reader reads.
    """

    text: str
    value: float | None = None
    marks: tuple[str, ...] = ()
    detail: str = ""
    link: str = ""
    why: str = ""

    @property
    def best(self) -> bool:
        """Say whether the cell has the mark of the best value."""
        return BEST in self.marks

    def marked(self, mark: str) -> Cell:
        """Return the cell with a further mark."""
        return self._replace(marks=(*self.marks, mark))


class Column(NamedTuple):
    """A column: its name, and whether it holds numbers, which stand at the right."""

    name: str
    numbers: bool = True


@dataclass(frozen=True)
class Table:
    """A table with a caption; `key` is its id on the page and in results.tex, `notes` say what marks mean."""

    key: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def marks(self) -> set[str]:
        """Return the marks that occur."""
        return {mark for row in self.rows for cell in row for mark in cell.marks}


def dash(why: str) -> Cell:
    """Return the cell of what there is not, with the reason."""
    return Cell("–", why=why)


def interval(low: float, high: float, signed: bool = False) -> Cell:
    """Return the cell of an interval; one without any width says that predictions are the same."""
    if low is None or math.isnan(low):
        return dash("cannot be told: one unit, or the score is undefined without some unit")
    if signed and low == high == 0:
        return Cell("same predictions", 0.0)
    return Cell(f"{number(low, signed)} to {number(high, signed)}", float(low))


def score(value: float, text: str | None = None, why: str = "the score is undefined here") -> Cell:
    """Return the cell of a score; text: in place of the number alone. why: there is none, of NaN."""
    known = value is not None and not math.isnan(value)
    if not known and text in (None, number(float("nan"))):
        return dash(why)
    return Cell(number(value) if text is None else text, float(value) if known else None)


def count(value: int) -> Cell:
    """Return the cell of a whole number."""
    return Cell(whole(value), float(value))


def mark_best(rows: Sequence[list[Cell]], column: int, among: Iterable[int]) -> None:
    """Mark the highest value of a column among some rows, all of them where several look the same."""
    known = {row: rows[row][column] for row in among if rows[row][column].value is not None}
    if len(known) < 2:
        return
    shown = {row: number(float(cell.value or 0.0)) for row, cell in known.items()}
    top = max(known, key=lambda row: float(known[row].value or 0.0))
    for row, cell in known.items():
        if shown[row] == shown[top]:
            rows[row][column] = cell.marked(BEST)


def texts(names: Sequence[str], rows: Iterable[Sequence[str]], key: str, caption: str) -> Table:
    """Return a table of plain texts."""
    return Table(
        key, caption, [Column(name, False) for name in names], [[Cell(t) for t in row] for row in rows]
    )
