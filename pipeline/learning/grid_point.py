"""One point of the (alpha, beta) x seed grid: one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

System = Literal["classic", "joint", "triplet", "emobed"]


@dataclass(frozen=True, order=True)
class GridPoint:
    """Weights of the auxiliary and of the triplet loss (eq. 8), and the seed."""

    alpha: float
    beta: float
    seed: int

    @property
    def system(self) -> System:
        """Return the system that the weights make: classic, joint, triplet or emobed."""
        if self.alpha > 0:
            return "emobed" if self.beta > 0 else "joint"
        return "triplet" if self.beta > 0 else "classic"

    @property
    def name(self) -> str:
        """Return the model's name, for example `a0.3_b0.1_s2`."""
        return f"a{self.alpha:g}_b{self.beta:g}_s{self.seed}"


PROGRAM_ORDER: tuple[System, ...] = ("classic", "joint", "emobed", "triplet")
"""Order of models in a program: those that share a branch of the computation lie side by side."""


def program_order(point: GridPoint) -> tuple[int, GridPoint]:
    """Return the sort key of a model within and between programs."""
    return PROGRAM_ORDER.index(point.system), point
