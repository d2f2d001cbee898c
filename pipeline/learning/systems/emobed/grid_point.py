"""One point of the grid of settings and seeds: one model of the batched program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from pipeline.learning.system import Variant, setting_of, setting_values
from pipeline.params import Learning

Control = Literal["placebo", "same_modality"]
"""EmoBed without the pairing of auxiliary labels and features, or without another modality."""
System = Literal["classic", "joint", "triplet", "emobed", "placebo", "same_modality", "graded_triplet"]
CONTROLS: tuple[Control, ...] = ("placebo", "same_modality")


@dataclass(frozen=True)
class GridPoint:
    """Weights of the auxiliary and of the triplet loss (eq. 8), the seed, and what else sets a model apart.

    control: which control of EmoBed the model is, None: none. graded: whether the system is the triplet one
    by what raters saw. rate, decay: learning rate and weight decay
    that only this model has, for the classic system; None: those of `learning.optimiser`.
    """

    alpha: float
    beta: float
    seed: int
    control: Control | None = None
    rate: float | None = None
    decay: float | None = None
    graded: bool = False

    @classmethod
    def of(cls, variant: Variant) -> Self:
        """Return the point that a model's identity stands for.

        Raises:
            ValueError: the setting is not one of this system.
        """
        values = setting_values(variant.setting)
        point = cls(
            values.get("alpha", 0.0),
            values.get("beta", 0.0),
            variant.seed,
            next((control for control in CONTROLS if control == variant.system), None),
            values.get("lr"),
            values.get("weight_decay"),
            variant.system == "graded_triplet",
        )
        if point.variant != variant:
            raise ValueError(f"no model '{variant.name}': these values are called '{point.variant.name}'")
        return point

    @property
    def system(self) -> System:
        """Return the system that control and weights make."""
        if self.control is not None:
            return self.control
        if self.alpha > 0:
            return "emobed" if self.beta > 0 else "joint"
        if self.graded:
            return "graded_triplet"
        return "triplet" if self.beta > 0 else "classic"

    @property
    def permuted(self) -> bool:
        """Say whether labels of the auxiliary modality are another recording's."""
        return self.control == "placebo"

    def by_votes(self, learning: Learning) -> bool:
        """Say whether pairs of the triplet loss are graded by what raters saw."""
        return self.graded or (self.beta > 0 and learning.triplet.distance == "label")

    @property
    def variant(self) -> Variant:
        """Return the model's identity: a weight of 0, and what all models share, are no part of it."""
        values = {name: weight for name, weight in (("alpha", self.alpha), ("beta", self.beta)) if weight > 0}
        own = {"lr": self.rate, "weight_decay": self.decay}
        values |= {name: value for name, value in own.items() if value is not None}
        return Variant(self.system, setting_of(**values), self.seed)


PROGRAM_ORDER: tuple[System, ...] = (
    "classic", "joint", "same_modality", "emobed", "placebo", "triplet", "graded_triplet"
)  # fmt: skip
"""Order of models in a program: those that share a branch of the computation lie side by side."""


def program_order(point: GridPoint) -> tuple[int, tuple[float, ...]]:
    """Return the sort key of a model within and between programs."""
    own = (point.rate or 0.0, -1.0 if point.decay is None else point.decay)
    return PROGRAM_ORDER.index(point.system), (point.alpha, point.beta, *own, point.seed)
