"""The columns of cross.csv and of `emobed evaluate --out`: apart, since an empty table needs no library."""

from __future__ import annotations

ABOUT = ("recogniser", "trained_on", "system", "setting", "dimension", "corpus", "partition")
"""What a row is about."""
COLUMNS = (
    *ABOUT, "column", "group", "minus", "metric", "value", "low", "high", "confidence", "n", "unit", "units",
    "recordings", "classes", "chance", "note",
)  # fmt: skip
"""Rows of the whole have an empty `column`, those of groups name one; classes are separated by commas."""
