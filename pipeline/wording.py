"""Words in a row -> a part of a sentence: what every room says in the same way."""

from __future__ import annotations

from collections.abc import Sequence


def listed(items: Sequence[str]) -> str:
    """Write `a, b and c`.

    items: at least one.
    """
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
