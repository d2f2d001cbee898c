"""One point of the (alpha, beta) x seed grid: one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pipeline.learning.system import Variant, setting_of, setting_values

System = Literal["classic", "joint", "triplet", "emobed"]


@dataclass(frozen=True, order=True)
class GridPoint:
    """Weights of the auxiliary and of the triplet loss (eq. 8), and the seed."""

    alpha: float
    beta: float
    seed: int

    @classmethod
    def of(cls, variant: Variant) -> Self:
        """Return the point that a model's identity stands for.

        Raises:
            ValueError: the setting is not one of this system.
        """
        values = setting_values(variant.setting)
        point = cls(values.get("alpha", 0.0), values.get("beta", 0.0), variant.seed)
        if point.variant != variant:
            raise ValueError(f"no model '{variant.name}': these weights are called '{point.variant.name}'")
        return point

    @property
    def system(self) -> System:
        """Return the system that the weights make: classic, joint, triplet or emobed."""
        if self.alpha > 0:
            return "emobed" if self.beta > 0 else "joint"
        return "triplet" if self.beta > 0 else "classic"

    @property
    def variant(self) -> Variant:
        """Return the model's identity: a weight of 0 is no part of the setting."""
        weights = {"alpha": self.alpha, "beta": self.beta}
        setting = setting_of(**{name: weight for name, weight in weights.items() if weight > 0})
        return Variant(self.system, setting, self.seed)


PROGRAM_ORDER: tuple[System, ...] = ("classic", "joint", "emobed", "triplet")
"""Order of models in a program: those that share a branch of the computation lie side by side."""


def program_order(point: GridPoint) -> tuple[int, GridPoint]:
    """Return the sort key of a model within and between programs."""
    return PROGRAM_ORDER.index(point.system), point
