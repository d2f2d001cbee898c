"""A program's steps by PyTorch's autograd: of sequences, on a GPU, and where there is no compiler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, PaddedLabels
from pipeline.learning.losses import prediction_loss
from pipeline.learning.systems.emobed.network import encode, recognise
from pipeline.learning.systems.emobed.optimiser import Adam, FlatWeights, clip_factor
from pipeline.learning.systems.emobed.program import Program, any_of


class AutogradSteps:
    """Steps of all models at once."""

    def __init__(self, program: Program) -> None:
        """Start Adam."""
        self._program = program
        self._adams = [
            Adam(weights, program.rates[models], program.decays[models])
            for weights, models in program.parts()
        ]

    def epoch(self, epoch: int, active: torch.Tensor) -> NDArray[np.float64]:
        """Take the steps of an epoch; see `pipeline.learning.systems.emobed.training.Steps`."""
        return np.sum([self._step(epoch, active) for _ in range(self._program.steps)], axis=0)

    def _step(self, epoch: int, active: torch.Tensor) -> NDArray[np.float64]:
        """Do one step of all models; return the first four of `CURVES`, (models, 4)."""
        program = self._program
        drawn = self._draw("target", slice(None))
        target = program.target.gather(drawn)
        core = program.core
        embeddings = encode(
            target.features, target.lengths, core.tensors, "target", program.architecture, core.gradient_of
        )
        record = np.zeros((len(program.points), 4))
        record[:, 1:3] = np.nan
        if program.auxiliary is None:
            outputs = recognise(
                embeddings, target.lengths, core.tensors, program.architecture, core.gradient_of
            )
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
        learning = self._program.learning
        weight = self._program.data.positive_weight
        return prediction_loss(learning.loss, outputs, labels, labelled, learning.ccc, weight)

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
        program = self._program
        assert program.auxiliary is not None
        assert program.extra is not None
        indices = self._draw("auxiliary", program.with_auxiliary)
        batch = program.auxiliary.gather(indices)
        if program.permuted is not None:
            models = program.with_permuted
            part = program.within_auxiliary(models)
            rows = program.seed_of_model[models].unsqueeze(1).to(program.device)  # (models, 1)
            batch.relabel(part, PaddedLabels(*(own[rows, indices[part]] for own in program.permuted)))
        extra = program.extra
        others = encode(
            batch.features, batch.lengths, extra.tensors, "auxiliary", program.architecture, extra.gradient_of
        )
        outputs, other_outputs = self._recognise(embeddings, target.lengths, others, batch.lengths)
        total = self._target_loss(outputs, target, record)
        if other_outputs is not None:
            models = program.with_joint
            part = program.within_auxiliary(models)
            loss = self._prediction_loss(other_outputs, batch.labels[part], batch.labelled[part])
            record[models, 1] = loss.detach().cpu()
            total = total + (program.alpha[models] * loss).sum()
        if any_of(program.with_triplet):
            models = program.with_triplet
            part = program.within_auxiliary(models)
            seeds = [point.seed for point in program.points[models]]
            labels = [point.permuted for point in program.points[models]]
            draw, votes = program.frame_draws.draw, program.votes
            assert votes is not None
            own_classes = votes.of_target(target.classes[models], drawn[models])
            other_classes = votes.of_auxiliary(batch.classes[part], indices[part])
            own, own_classes = draw(embeddings[models], own_classes, seeds, labels)
            other, other_classes = draw(others[part], other_classes, seeds, labels)
            triplet = votes.triplet(own, other, own_classes, other_classes, program.learning.triplet)
            record[models, 2] = triplet.loss.detach().cpu()
            record[models, 3] = triplet.anchors_left_out.cpu()
            total = total + (program.beta[models] * triplet.loss).sum()
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
        core, joint, count = self._program.core, self._program.with_joint, len(self._program.points)
        architecture, part = self._program.architecture, self._program.within_auxiliary(joint)
        if embeddings.shape[2] != others.shape[2]:
            outputs = recognise(embeddings, lengths, core.tensors, architecture)
            if not any_of(joint):
                return outputs, None
            return outputs, recognise(
                others[part], other_lengths[part], _rows(core.tensors, joint), architecture
            )
        found, batch, other_outputs = [], embeddings.shape[1], None
        for models in (slice(0, joint.start), joint, slice(joint.stop, count)):
            if not any_of(models):
                continue
            own, own_lengths = _row(embeddings, models), lengths[models]
            if models is joint:
                own = torch.cat((own, _row(others, part)), dim=1)
                own_lengths = torch.cat((own_lengths, other_lengths[part]), dim=1)
            weights, gradients = _rows(core.tensors, models), _rows(core.gradient_of, models)
            outputs = recognise(own, own_lengths, weights, architecture, gradients)
            if models is joint:
                outputs, other_outputs = outputs[:, :batch], outputs[:, batch:]
            found.append(outputs)
        return found[0] if len(found) == 1 else torch.cat(found), other_outputs

    def _gradients(
        self, total: torch.Tensor
    ) -> Iterator[tuple[FlatWeights, tuple[torch.Tensor | None, ...]]]:
        """Yield the gradients of all weights; None for those that took no part (W_hh of single frames)."""
        parts = [weights for weights, _ in self._program.parts()]
        tensors = [tensor for part in parts for tensor in part.tensors.values()]
        gradients = iter(torch.autograd.grad(total, tensors, allow_unused=True))
        for part in parts:
            yield part, tuple(next(gradients) for _ in part.tensors)

    def _draw(self, modality: str, models: slice) -> torch.Tensor:
        """Draw the next batch of each seed; return each model's indices, (models, batch)."""
        drawn = torch.from_numpy(self._program.draw(modality))
        return drawn[self._program.seed_of_model[models]].to(self._program.device)

    def _update(self, epoch: int, active: torch.Tensor) -> None:
        """Clip each model's gradient by its own norm over all its weights and take Adam's step."""
        program = self._program
        squares = program.core.squared_norms()
        if program.extra is not None:
            squares[program.with_auxiliary] += program.extra.squared_norms()
        norm = squares.sqrt()
        self._check(norm.cpu().numpy()[:, None], epoch, "gradient")
        factor = clip_factor(norm, program.learning.optimiser.clip_norm)
        for adam, (_, models) in zip(self._adams, program.parts(), strict=True):
            adam.step(factor[models], active[models].tolist())

    def _check(self, values: NDArray[np.float64], epoch: int, what: str) -> None:
        """Stop if a model's loss or gradient is not finite (NaN in columns 1, 2 means not computed)."""
        used = np.ones_like(values, dtype=bool)
        if values.shape[1] > 1:
            places = np.arange(len(values))
            used[:, 1] = np.isin(places, places[self._program.with_joint])
            used[:, 2] = np.isin(places, places[self._program.with_triplet])
        wrong = np.flatnonzero((~np.isfinite(values) & used).any(axis=1))
        if len(wrong):
            raise self._program.refuse(int(wrong[0]), what, epoch)


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
