"""Sequences of both modalities -> trained models, many at once in one batched program.

`J = L_target + alpha L_auxiliary + beta L_triplet` (eq. 8) per model; models differ in alpha, beta, seed,
learning rate, weight decay, and in whose labels the auxiliary sequences have. A model's result does not
depend on which models are in its program: start weights and batches follow from its seed, and a model only
takes part in the branches that its own weights ask for, so that the classic system (0, 0) never touches the
auxiliary data; only their number counts: an epoch has as many steps for every system.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, PaddedLabels, SeededOrder
from pipeline.learning.losses import prediction_loss
from pipeline.learning.outputs import probabilities
from pipeline.learning.progress import mark_epoch
from pipeline.learning.systems.emobed.evaluation import Evaluation
from pipeline.learning.systems.emobed.frame_draws import FrameDraws
from pipeline.learning.systems.emobed.grid_point import GridPoint, program_order
from pipeline.learning.systems.emobed.kept_weights import KeptWeights
from pipeline.learning.systems.emobed.network import encode, initial_weights, recognise
from pipeline.learning.systems.emobed.optimiser import Adam, FlatWeights, clip_factor
from pipeline.learning.systems.emobed.reused_memory import reused_memory
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.systems.emobed.votes import Votes
from pipeline.learning.trained_model import TrainedModel, TrainingError
from pipeline.params import Learning
from pipeline.running.parallel import one_thread

logger = logging.getLogger(__name__)


def train_program(
    data: TrainingData,
    learning: Learning,
    points: Sequence[GridPoint],
    device: str = "cpu",
    marks: Path | None = None,
) -> list[TrainedModel]:
    """Train models at once, in one thread; returned in the order of `points`.

    marks: file that grows with every epoch (`pipeline.learning.progress`).

    Raises:
        TrainingError: a loss or gradient is not finite.
    """
    # what is not finite is found and named by the program itself
    with one_thread(), reused_memory(), np.errstate(invalid="ignore", over="ignore"):
        program = _Program(data, learning, sorted(points, key=program_order), torch.device(device))
        models = program.run(marks)
    by_variant = {model.variant: model for model in models}
    return [by_variant[point.variant] for point in points]


class _Program:
    """The state of one batched program."""

    def __init__(
        self, data: TrainingData, learning: Learning, points: Sequence[GridPoint], device: torch.device
    ) -> None:
        self.data, self.learning, self.points, self.device = data, learning, points, device
        self.architecture = data.architecture
        # models are sorted (PROGRAM_ORDER), so that each branch concerns one slice of them
        self.with_auxiliary = _span([point.system != "classic" for point in points])
        self.with_joint = _span([point.alpha > 0 for point in points])
        self.with_triplet = _span([point.beta > 0 for point in points])
        self.with_permuted = _span([point.permuted for point in points])
        self.alpha = torch.tensor([point.alpha for point in points], device=device)
        self.beta = torch.tensor([point.beta for point in points], device=device)
        self.seeds = sorted({point.seed for point in points})
        self.seed_of_model = torch.tensor([self.seeds.index(point.seed) for point in points])
        self.target = Padded.of(data.target, device)
        self.auxiliary = Padded.of(data.auxiliary, device) if _any(self.with_auxiliary) else None
        self.permuted = self._permuted_labels() if _any(self.with_permuted) else None
        self.votes = Votes(data, points, learning, device) if _any(self.with_triplet) else None
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
        rates = [optimiser.learning_rate if point.rate is None else point.rate for point in points]
        decays = [optimiser.weight_decay if point.decay is None else point.decay for point in points]
        self.adams = [
            Adam(weights, rates[models], decays[models])
            for weights, models in zip(self._parts(), (slice(None), self.with_auxiliary), strict=False)
        ]
        self.evaluation = Evaluation(data, device)

    def run(self, marks: Path | None = None) -> list[TrainedModel]:
        """Train all epochs, each noted in `marks`, and return the models with their final weights."""
        optimiser = self.learning.optimiser
        count = len(self.points)
        active = torch.ones(count, dtype=torch.bool)
        best = torch.full((count,), -torch.inf, dtype=torch.float64)
        best_epoch = torch.zeros(count, dtype=torch.long)
        kept = [KeptWeights(part, optimiser.average_epochs) for part in self._parts()]
        curves: list[NDArray[np.float64]] = []
        for epoch in range(optimiser.epochs):
            sums = np.sum([self._step(epoch, active) for _ in range(self.steps)], axis=0)
            on_dev = self.evaluation.on_dev(self.core.tensors, self.learning)
            score = on_dev[:, 0]
            curve = np.column_stack((sums / [self.steps, self.steps, self.steps, 1], on_dev.numpy()))
            curve[~active.numpy()] = np.nan
            curves.append(curve)
            improved = (score > best) & active
            best, best_epoch = torch.where(improved, score, best), torch.where(improved, epoch, best_epoch)
            for keeper, models in zip(kept, (slice(None), self.with_auxiliary), strict=False):
                if optimiser.weights == "average":
                    keeper.keep_last(active[models])
                else:
                    keeper.keep_best(improved[models] if epoch else active[models])
            mark_epoch(marks, best.max().item())
            if optimiser.patience is not None:
                active &= epoch - best_epoch < optimiser.patience
                if not active.any():
                    break
        for keeper in kept:
            keeper.restore()
        return self._finish(np.stack(curves))

    def _step(self, epoch: int, active: torch.Tensor) -> NDArray[np.float64]:
        """Do one step of all models; return the first four of `CURVES`, (models, 4)."""
        drawn = self._draw("target", slice(None))
        target = self.target.gather(drawn)
        core = self.core
        embeddings = encode(
            target.features, target.lengths, core.tensors, "target", self.architecture, core.gradient_of
        )
        record = np.zeros((len(self.points), 4))
        record[:, 1:3] = np.nan
        if self.auxiliary is None:
            outputs = recognise(embeddings, target.lengths, core.tensors, self.architecture, core.gradient_of)
            total = self._target_loss(outputs, target, record)
        else:
            total = self._losses(target, drawn, embeddings, record)
        self._check(record, epoch, "loss")
        for weights, gradients in self._gradients(total):
            weights.set_gradients(gradients)
        self._update(epoch, active)
        return record

    def _prediction_loss(
        self, outputs: torch.Tensor, labels: torch.Tensor, labelled: torch.Tensor
    ) -> torch.Tensor:
        return prediction_loss(
            self.learning.loss, outputs, labels, labelled, self.learning.ccc, self.data.positive_weight
        )

    def _target_loss(
        self, outputs: torch.Tensor, target: Padded, record: NDArray[np.float64]
    ) -> torch.Tensor:
        loss = self._prediction_loss(outputs, target.labels, target.labelled)
        record[:, 0] = loss.detach().cpu()
        return loss.sum()

    def _losses(
        self, target: Padded, drawn: torch.Tensor, embeddings: torch.Tensor, record: NDArray[np.float64]
    ) -> torch.Tensor:
        """Return L_target + alpha L_auxiliary + beta L_triplet, summed over models, and fill the record.

        drawn: indices of the sequences of `target`, (models, batch).
        """
        assert self.auxiliary is not None
        assert self.extra is not None
        first = self.with_auxiliary.start
        indices = self._draw("auxiliary", self.with_auxiliary)
        batch = self.auxiliary.gather(indices)
        if self.permuted is not None:
            models = self.with_permuted
            part = slice(models.start - first, models.stop - first)
            rows = self.seed_of_model[models].unsqueeze(1).to(self.device)  # (models, 1)
            batch.relabel(part, PaddedLabels(*(own[rows, indices[part]] for own in self.permuted)))
        extra = self.extra
        others = encode(
            batch.features, batch.lengths, extra.tensors, "auxiliary", self.architecture, extra.gradient_of
        )
        outputs, other_outputs = self._recognise(embeddings, target.lengths, others, batch.lengths)
        total = self._target_loss(outputs, target, record)
        if other_outputs is not None:
            models = self.with_joint
            part = slice(models.start - first, models.stop - first)
            loss = self._prediction_loss(other_outputs, batch.labels[part], batch.labelled[part])
            record[models, 1] = loss.detach().cpu()
            total = total + (self.alpha[models] * loss).sum()
        if _any(self.with_triplet):
            models = self.with_triplet
            part = slice(models.start - first, models.stop - first)
            seeds = [point.seed for point in self.points[models]]
            labels = [point.permuted for point in self.points[models]]
            draw = self.frame_draws.draw
            assert self.votes is not None
            own_classes = self.votes.of_target(target.classes[models], drawn[models])
            other_classes = self.votes.of_auxiliary(batch.classes[part], indices[part])
            own, own_classes = draw(embeddings[models], own_classes, seeds, labels)
            other, other_classes = draw(others[part], other_classes, seeds, labels)
            triplet = self.votes.triplet(own, other, own_classes, other_classes, self.learning.triplet)
            record[models, 2] = triplet.loss.detach().cpu()
            record[models, 3] = triplet.anchors_left_out.cpu()
            total = total + (self.beta[models] * triplet.loss).sum()
        return total

    def _recognise(
        self,
        embeddings: torch.Tensor,
        lengths: torch.Tensor,
        others: torch.Tensor,
        other_lengths: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return what is predicted from the target's embeddings, and from those of the auxiliary modality.

        The latter of the models that learn from it, None if there are none. These read both in one go, where
        they are of as many frames, so that a weight is read once and its gradient written once.

        embeddings: of all models. others: of those that have another modality. lengths: (models, batch) each.
        """
        core, joint, count = self.core, self.with_joint, len(self.points)
        part = slice(joint.start - self.with_auxiliary.start, joint.stop - self.with_auxiliary.start)
        if embeddings.shape[2] != others.shape[2]:
            outputs = recognise(embeddings, lengths, core.tensors, self.architecture)
            if not _any(joint):
                return outputs, None
            return outputs, recognise(
                others[part], other_lengths[part], _rows(core.tensors, joint), self.architecture
            )
        found, batch, other_outputs = [], embeddings.shape[1], None
        for models in (slice(0, joint.start), joint, slice(joint.stop, count)):
            if not _any(models):
                continue
            own, own_lengths = _row(embeddings, models), lengths[models]
            if models is joint:
                own = torch.cat((own, _row(others, part)), dim=1)
                own_lengths = torch.cat((own_lengths, other_lengths[part]), dim=1)
            weights, gradients = _rows(core.tensors, models), _rows(core.gradient_of, models)
            outputs = recognise(own, own_lengths, weights, self.architecture, gradients)
            if models is joint:
                outputs, other_outputs = outputs[:, :batch], outputs[:, batch:]
            found.append(outputs)
        return found[0] if len(found) == 1 else torch.cat(found), other_outputs

    def _gradients(
        self, total: torch.Tensor
    ) -> Iterator[tuple[FlatWeights, tuple[torch.Tensor | None, ...]]]:
        """Yield the gradients of all weights; None for those that took no part (W_hh of single frames)."""
        parts = self._parts()
        tensors = [tensor for part in parts for tensor in part.tensors.values()]
        gradients = iter(torch.autograd.grad(total, tensors, allow_unused=True))
        for part in parts:
            yield part, tuple(next(gradients) for _ in part.tensors)

    def _permuted_labels(self) -> PaddedLabels:
        """Return the labels that each seed's placebo sees, (seeds, sequences, frames) each."""
        assert self.auxiliary is not None
        features = self.auxiliary.features
        of_seeds = [PaddedLabels.of(self.data.permuted[seed], features) for seed in self.seeds]
        return PaddedLabels(*map(torch.stack, zip(*of_seeds, strict=True)))

    def _draw(self, modality: str, models: slice) -> torch.Tensor:
        """Draw the next batch of each seed; return each model's indices, (models, batch)."""
        drawn = torch.from_numpy(np.stack([order.draw() for order in self.orders[modality]]))
        return drawn[self.seed_of_model[models]].to(self.device)

    def _update(self, epoch: int, active: torch.Tensor) -> None:
        """Clip each model's gradient by its own norm over all its weights and take Adam's step."""
        squares = self.core.squared_norms()
        if self.extra is not None:
            squares[self.with_auxiliary] += self.extra.squared_norms()
        norm = squares.sqrt()
        self._check(norm.cpu().numpy()[:, None], epoch, "gradient")
        factor = clip_factor(norm, self.learning.optimiser.clip_norm)
        for adam, models in zip(self.adams, (slice(None), self.with_auxiliary), strict=False):
            adam.step(factor[models], active[models].tolist())

    def _check(self, values: NDArray[np.float64], epoch: int, what: str) -> None:
        """Stop if a model's loss or gradient is not finite (NaN in columns 1, 2 means not computed)."""
        used = np.ones_like(values, dtype=bool)
        if values.shape[1] > 1:
            used[:, 1] = np.isin(np.arange(len(values)), np.arange(len(values))[self.with_joint])
            used[:, 2] = np.isin(np.arange(len(values)), np.arange(len(values))[self.with_triplet])
        wrong = np.flatnonzero((~np.isfinite(values) & used).any(axis=1))
        if len(wrong):
            point = self.points[wrong[0]]
            raise TrainingError(
                f"model {point.variant.name}: {what} is not finite in epoch {epoch + 1}; "
                "try a smaller learning.optimiser.learning_rate or clip_norm, or smaller alpha and beta"
            )

    def _parts(self) -> list[FlatWeights]:
        """Return the weights of all models and, if there are any, the auxiliary encoders."""
        return [self.core] if self.extra is None else [self.core, self.extra]

    def _finish(self, curves: NDArray[np.float64]) -> list[TrainedModel]:
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


def _span(marks: Sequence[bool]) -> slice:
    """Return the slice of the marked models, which lie side by side; slice(0, 0) if there is none."""
    marked = [i for i, mark in enumerate(marks) if mark]
    return slice(marked[0], marked[-1] + 1) if marked else slice(0, 0)


def _row(tensor: torch.Tensor, models: slice) -> torch.Tensor:
    """Return the rows of some models; of all a view, whose gradient is not copied.

    A view, not the tensor itself: what comes back to it is then added up before it is added to anything else,
    as it is for a slice. Else rounding would depend on which models share a program.
    """
    return tensor.view_as(tensor) if models == slice(0, len(tensor)) else tensor[models]


def _rows(tensors: Mapping[str, torch.Tensor], models: slice) -> dict[str, torch.Tensor]:
    """Return the rows of some models of the weights of the shared network and the head."""
    shared = ("shared.", "head.")
    return {name: _row(own, models) for name, own in tensors.items() if name.startswith(shared)}


def _any(models: slice) -> bool:
    return models.stop > models.start
