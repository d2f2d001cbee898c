"""The systems of the batched program, as the engine of experiments asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.systems.emobed.grid import VERSION, fingerprints, grid_points, plan_programs
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.networks import Networks
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData, training_data
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning


class EmoBed:
    """Classic, joint, triplet and EmoBed, regions of one grid of loss weights, and variants, at once."""

    systems: tuple[str, ...] = ("classic", "joint", "triplet", "emobed", "placebo", "graded_triplet")

    def variants(self, learning: Learning) -> list[Variant]:
        """Return the models of the grid."""
        return [point.variant for point in grid_points(learning) if point.system in self.systems]

    def prepare(self, data: ExperimentData, learning: Learning) -> TrainingData:
        """Return the data as the program takes them."""
        return training_data(data, learning)

    def evaluation(self, data: TrainingData, system: str) -> Sequences:
        """Return what is predicted."""
        return data.evaluation

    def fingerprints(
        self, data: TrainingData, learning: Learning, variants: Sequence[Variant], device: str
    ) -> dict[Variant, dict[str, Any]]:
        """Return what each model depends on."""
        points = [GridPoint.of(variant) for variant in variants]
        found = fingerprints(data, learning, points, device)
        return {point.variant: found[point] for point in points}

    def epochs(self, learning: Learning) -> int:
        """Return the most epochs of a model."""
        return learning.optimiser.epochs

    def programs(
        self,
        data: TrainingData,
        learning: Learning,
        variants: Sequence[Variant],
        capacity: Capacity,
    ) -> list[list[Variant]]:
        """Return which models are trained at once."""
        points = [GridPoint.of(variant) for variant in variants]
        programs = plan_programs(data, learning, points, capacity)
        return [[point.variant for point in program] for program in programs]

    def train(
        self,
        data: TrainingData,
        learning: Learning,
        program: Sequence[Variant],
        device: str,
        marks: Path | None,
    ) -> list[TrainedModel]:
        """Train the models of one program."""
        points = [GridPoint.of(variant) for variant in program]
        return train_program(data, learning, points, device, marks)

    def about(self, data: TrainingData) -> dict[str, Any]:
        """Return what a model file says of these systems."""
        return {
            "version": VERSION,
            "architecture": data.architecture.said(),
            "train_sequences": {"target": len(data.target), "auxiliary": len(data.auxiliary)},
        }

    def for_use(
        self, weights: Mapping[str, torch.Tensor], about: Mapping[str, Any]
    ) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
        """Return the weights of the target's encoder, the shared network and the head."""
        kept = {name: tensor for name, tensor in weights.items() if not name.startswith("auxiliary.")}
        return kept, dict(about)

    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Networks:
        """Return the networks of the models with these weights; about: as `about` said."""
        return Networks.of(weights, about["architecture"])


LEARNER = EmoBed()
