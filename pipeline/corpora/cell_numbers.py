"""Cells of a text table -> numbers, as people and spreadsheets write them, or what was found instead."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress

SHOWN = 80
"""Characters of a cell or line that are shown in a sentence."""
LARGEST = 3.4e38
"""Of a number: learning and scores count in single precision."""


def finite(cell: str) -> float | None:
    """Return the number in a cell; None if there is none, or none that is finite in single precision."""
    try:
        value = float(cell)
    except ValueError:
        return None
    # 1_000 is a number to Python, not to who reads tables
    return value if abs(value) <= LARGEST and "_" not in cell else None


def is_number(cell: str, no_value: Collection[str]) -> bool:
    """Say whether a cell may stand in a column of numbers: a number, also NaN or infinite, or no value.

    no_value: cells without blanks around them that stand for no value; an empty one does if "" is among them.
    """
    if cell.strip() in no_value:
        return True
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell


def no_number(cell: str) -> str:
    """Return what was found instead of a number and what is expected, to end a sentence with."""
    point = " with a decimal point" if has_decimal_comma(cell) else ""
    with suppress(ValueError):
        if LARGEST < abs(float(cell)) < float("inf"):
            point = f" of at most {LARGEST:.1e}"
    return f"'{cell[:SHOWN]}', expected a finite number{point}"


def has_decimal_comma(cell: str) -> bool:
    """Say whether a cell is a number of a spreadsheet that writes `1,5` for 1.5."""
    whole, _, fraction = cell.lstrip("+-").partition(",")
    return whole.isdigit() and fraction.isdigit()
