"""Data and points of the grid -> the state of one batched program: weights, batches, who takes part in what.

A model's result does not depend on which models are in its program: start weights and batches follow from
its seed, and a model only takes part in the branches that its own weights ask for, so that the classic system
(0, 0) never touches the auxiliary data; only their number counts: an epoch has as many steps for every
system.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, PaddedLabels, SeededOrder
from pipeline.learning.outputs import probabilities
from pipeline.learning.systems.emobed.evaluation import Evaluation
from pipeline.learning.systems.emobed.frame_draws import FrameDraws
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import initial_weights
from pipeline.learning.systems.emobed.optimiser import FlatWeights
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.systems.emobed.votes import Votes
from pipeline.learning.trained_model import TrainedModel, TrainingError
from pipeline.params import Learning


class Program:
    """Models that are trained at once. points: sorted by `program_order`, so that each branch is a slice."""

    def __init__(
        self, data: TrainingData, learning: Learning, points: Sequence[GridPoint], device: torch.device
    ) -> None:
        """Draw the start weights and put the data on the device."""
        self.data, self.learning, self.points, self.device = data, learning, points, device
        self.architecture = data.architecture
        self.with_auxiliary = _span([point.system != "classic" for point in points])
        self.with_joint = _span([point.alpha > 0 for point in points])
        self.with_triplet = _span([point.beta > 0 for point in points])
        self.with_permuted = _span([point.permuted for point in points])
        self.alpha = torch.tensor([point.alpha for point in points], device=device)
        self.beta = torch.tensor([point.beta for point in points], device=device)
        self.seeds = sorted({point.seed for point in points})
        self.seed_of_model = torch.tensor([self.seeds.index(point.seed) for point in points])
        self.target = Padded.of(data.target, device)
        self.auxiliary = Padded.of(data.auxiliary, device) if any_of(self.with_auxiliary) else None
        self.permuted = self._permuted_labels() if any_of(self.with_permuted) else None
        self.votes = Votes(data, points, learning, device) if any_of(self.with_triplet) else None
        batch = learning.optimiser.batch
        self.orders = {
            name: [SeededOrder(len(part), batch, seed, name) for seed in self.seeds]
            for name, part in (("target", self.target), ("auxiliary", self.auxiliary))
            if part is not None
        }
        self.frame_draws = FrameDraws(learning.triplet.frames // 2)
        # all systems take as many, or classic would lag behind where the auxiliary modality is the larger
        self.steps = data.steps(batch)
        self.core = FlatWeights(
            [initial_weights(self.architecture, point.seed, "target", "shared", "head") for point in points],
            device,
        )
        # classic models have no auxiliary encoder here: weight decay would only shrink it
        self.extra = (
            FlatWeights(
                [
                    initial_weights(self.architecture, point.seed, "auxiliary")
                    for point in points[self.with_auxiliary]
                ],
                device,
            )
            if self.auxiliary is not None
            else None
        )
        optimiser = learning.optimiser
        self.rates = [optimiser.learning_rate if point.rate is None else point.rate for point in points]
        self.decays = [optimiser.weight_decay if point.decay is None else point.decay for point in points]
        self.evaluation = Evaluation(data, device)

    def parts(self) -> list[tuple[FlatWeights, slice]]:
        """Return the weights of all models and, if there are any, the auxiliary encoders; whose they are."""
        parts = [(self.core, slice(0, len(self.points)))]
        return parts if self.extra is None else [*parts, (self.extra, self.with_auxiliary)]

    def draw(self, modality: str) -> NDArray[np.int64]:
        """Draw the next batch of each seed, indices of sequences, (seeds, batch)."""
        return np.stack([order.draw() for order in self.orders[modality]])

    def within_auxiliary(self, models: slice) -> slice:
        """Return where models lie among those that have another modality."""
        first = self.with_auxiliary.start
        return slice(models.start - first, models.stop - first)

    def refuse(self, model: int, what: str, epoch: int) -> TrainingError:
        """Return the error that a loss or gradient of a model is not finite."""
        return TrainingError(
            f"model {self.points[model].variant.name}: {what} is not finite in epoch {epoch + 1}; "
            "try a smaller learning.optimiser.learning_rate or clip_norm, or smaller alpha and beta"
        )

    def trained(self, curves: NDArray[np.float64]) -> list[TrainedModel]:
        """Predict with the final weights and take the models apart. curves: (epochs, models, `CURVES`)."""
        outputs = self.evaluation.outputs(self.core.tensors)
        models = []
        for m, point in enumerate(self.points):
            weights = {name: tensor[m] for name, tensor in self.core.tensors.items()}
            if self.extra is not None and point.system != "classic":
                row = m - self.with_auxiliary.start
                weights |= {name: tensor[row] for name, tensor in self.extra.tensors.items()}
            else:
                weights |= initial_weights(self.architecture, point.seed, "auxiliary")
            predictions = [part[m] for part in outputs]
            predictions = [probabilities(own, self.architecture.several) for own in predictions]
            models.append(
                TrainedModel(
                    point.variant,
                    {name: tensor.detach().cpu().clone() for name, tensor in weights.items()},
                    curves[~np.isnan(curves[:, m, 0]), m],
                    tuple(part.cpu().numpy().copy() for part in predictions),
                )
            )
        return models

    def _permuted_labels(self) -> PaddedLabels:
        """Return the labels that each seed's placebo sees, (seeds, sequences, frames) each."""
        assert self.auxiliary is not None
        features = self.auxiliary.features
        of_seeds = [PaddedLabels.of(self.data.permuted[seed], features) for seed in self.seeds]
        return PaddedLabels(*map(torch.stack, zip(*of_seeds, strict=True)))


def _span(marks: Sequence[bool]) -> slice:
    """Return the slice of the marked models, which lie side by side; slice(0, 0) if there is none."""
    marked = [i for i, mark in enumerate(marks) if mark]
    return slice(marked[0], marked[-1] + 1) if marked else slice(0, 0)


def any_of(models: slice) -> bool:
    """Say whether a branch has any model."""
    return models.stop > models.start
