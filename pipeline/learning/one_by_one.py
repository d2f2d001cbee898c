"""The common part of systems whose models are trained one by one: identity, parameters, programs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import Predictor
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning


class OneByOne(ABC):
    """A learner of one system. Whoever derives says what its models depend on and how one is trained."""

    system: str
    version: int
    """The VERSION of its module, a part of the fingerprint."""

    @property
    def systems(self) -> tuple[str, ...]:
        """Return the system."""
        return (self.system,)

    def settings(self, learning: Learning) -> list[str]:
        """Return the settings to choose from; an empty one where there is no choice."""
        return [""]

    def seeds(self, learning: Learning) -> Sequence[int]:
        """Return the seeds of each setting."""
        return sorted(learning.seeds)

    def variants(self, learning: Learning) -> list[Variant]:
        """Return one model per setting and seed, if the system is asked for."""
        if self.system not in learning.systems:
            return []
        return [
            Variant(self.system, setting, seed)
            for setting in self.settings(learning)
            for seed in self.seeds(learning)
        ]

    def evaluation(self, data: Any, system: str) -> Sequences:
        """Return what is predicted."""
        found: Sequences = data.evaluation
        return found

    def fingerprints(
        self, data: Any, learning: Learning, variants: Sequence[Variant], device: str
    ) -> dict[Variant, dict[str, Any]]:
        """Return what each model depends on."""
        return dict.fromkeys(
            variants, {"version": self.version} | self.depends_on(data, learning, device)
        )  # fmt: skip

    def epochs(self, learning: Learning) -> int:
        """Return 1, for systems that have no epochs."""
        return 1

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return each model by itself."""
        return [[variant] for variant in variants]

    def train(
        self, data: Any, learning: Learning, program: Sequence[Variant], device: str, marks: Path | None
    ) -> list[TrainedModel]:
        """Train the models of a program one after the other."""
        return [self.train_one(data, learning, variant, device, marks) for variant in program]

    @abstractmethod
    def prepare(self, data: ExperimentData, learning: Learning) -> Any:
        """Return what models are trained from."""

    @abstractmethod
    def depends_on(self, data: Any, learning: Learning, device: str) -> dict[str, Any]:
        """Return everything that all models of the system depend on besides the version."""

    @abstractmethod
    def train_one(
        self, data: Any, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train a model."""

    @abstractmethod
    def about(self, data: Any) -> dict[str, Any]:
        """Return what the model file has to say for `predictor`."""

    def for_use(
        self, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]
    ) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return all of it: nothing is there that predictions do without."""
        return dict(weights), dict(about)

    @abstractmethod
    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Predictor:
        """Return models that predict."""
