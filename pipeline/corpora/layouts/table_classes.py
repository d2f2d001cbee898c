"""Cells of the column `emotion`, names or codes -> classes, and the code of each."""

from __future__ import annotations

from collections.abc import Collection

from pipeline.corpora.cell_numbers import no_number
from pipeline.corpora.class_names import EMOTIONS, ordered
from pipeline.corpora.layouts.table_recordings import RECORDINGS


def classes_named(found_names: list[str]) -> tuple[str, ...]:
    """Return the classes that cells name: OMG-Emotion's if all are its names or codes, else as they are."""
    codes = {name for name in found_names if _is_code(name)}
    names = set(found_names) - codes
    if not names and any(int(code) >= len(EMOTIONS) for code in codes):
        return ordered(codes)  # numbers of the user's own
    if all(name.lower() in EMOTIONS for name in names):
        return EMOTIONS
    return ordered(names | codes)


def note_on_codes(cells: Collection[str], classes: tuple[str, ...]) -> list[str]:
    """Say that numbers alone were taken for OMG-Emotion's codes: they may be somebody else's."""
    if not cells or classes != EMOTIONS or not all(_is_code(cell) for cell in cells):
        return []
    read = ", ".join(f"{code} {EMOTIONS[code]}" for code in sorted({int(cell) for cell in cells}))
    return [
        f"{RECORDINGS}: the numbers in the column emotion are read as OMG-Emotion's codes ({read}); if they "
        "are classes of your own, write their names"
    ]


def _is_code(cell: str) -> bool:
    return cell.isascii() and cell.isdigit()


def code_of(cell: str, classes: tuple[str, ...]) -> float | None:
    """Return the code of a class by its name or code; None: it is neither."""
    if cell in classes:
        return float(classes.index(cell))
    if cell.lower() in classes:
        return float(classes.index(cell.lower()))
    return float(cell) if _is_code(cell) and int(cell) < len(classes) else None


def wrong_label(cell: str, dimension: str, classes: tuple[str, ...]) -> str:
    """Say what a cell of a label holds, and what would be right."""
    if dimension != "emotion":
        return f"found {dimension} {no_number(cell)}"
    allowed = ", ".join(f"{code} {name}" for code, name in enumerate(classes))
    return f"found emotion '{cell}', expected a name or code out of {allowed}"
