"""How much of a medium is missing: it travels with the rows made from it, and in the tables of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Damage(NamedTuple):
    """How much of a medium is missing, as a share of its length in [0, 1], and what, in words."""

    share: float
    words: str

    @classmethod
    def of(cls, seconds: float, whole: float, words: Sequence[str]) -> Damage:
        """Return the damage of `seconds` missing of `whole`."""
        return cls(round(min(1.0, seconds / whole), 6) if whole > 0 else 0.0, "; ".join(words))


NO_DAMAGE = Damage(0.0, "")
