"""Cells of annotations -> which of them are no label, and how many there were.

R writes NA for a missing value, pandas nan, databases null, IEMOCAP xxx for a clip on which raters did not
agree, many tables -1. None of these is a class. Which words say so is `labels.absent` of params.yaml;
capitals do not count, and an empty cell is always absent.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.corpora.cell_numbers import finite
from pipeline.corpora.problems import NoLabel
from pipeline.params import ABSENT

WHOLE = re.compile(r"([+-]?\d+)\.0*", re.ASCII)


def plain(cell: str) -> str:
    """Return a cell without blanks around it and, if it is a whole number, without `.0`.

    Many programs write whole numbers with `.0` where one of the column is missing.
    """
    cell = cell.strip()
    whole = WHOLE.fullmatch(cell)
    return whole[1] if whole else cell


@dataclass
class Absent:
    """Tells absent cells of one file, and counts them; empty ones are no news, unless asked for.

    words: that say so. count_empty: where every row is meant to hold a label. seen: (dimension, cell) -> how
    many. where: recording and dimension of what was counted.
    """

    words: Iterable[str] = ABSENT
    count_empty: bool = False
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    where: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Fold the words."""
        self._words = {plain(word).casefold() for word in self.words} | {""}

    def __call__(self, cell: str, dimension: str, recording: str) -> bool:
        """Say whether a cell is no label; of a rating a number never says so, since -1 may be a rating."""
        cell = plain(cell)
        if not self.is_absent(cell) or (dimension != "emotion" and finite(cell) is not None):
            return False
        if cell or self.count_empty:
            self.seen[dimension, cell or "empty"] += 1
            self.where.add((recording, dimension))
        return True

    def is_absent(self, cell: str) -> bool:
        """Say whether a cell is empty or holds one of the words, without counting it."""
        return plain(cell).casefold() in self._words

    def problems(self, file: str) -> list[NoLabel]:
        """Return one sentence per dimension on what was absent in `file`, relative to the corpus root."""
        found: dict[str, list[str]] = {}
        for (dimension, cell), count in sorted(self.seen.items()):
            found.setdefault(dimension, []).append(f"{cell} ({count})")
        return [
            NoLabel("", file, f"no label of {dimension} where the cell is {', '.join(cells)}: labels.absent")
            for dimension, cells in found.items()
        ]
