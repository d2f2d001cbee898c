"""What raters saw, in the batched program: which models grade their triplets by it, and their loss."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from pipeline.learning.batches import PaddedLabels
from pipeline.learning.sequences import Labelling, Sequences
from pipeline.learning.systems.emobed.graded_triplet import Pairs, graded_pairs, graded_triplet
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.systems.emobed.triplet import Triplet, crossmodal_triplet
from pipeline.learning.votes import Codes
from pipeline.params import Learning
from pipeline.params.learning import Triplet as Settings


class Votes:
    """The models of a program with a triplet loss: those that see classes first, then those that see votes.

    For the latter a frame's class is replaced by the code of its distribution; frames without a class have no
    distribution, so that all draw the same frames.
    """

    def __init__(
        self, data: TrainingData, points: Sequence[GridPoint], learning: Learning, device: torch.device
    ) -> None:
        """Take the points of a program, in its order."""
        own = [point for point in points if point.beta > 0]
        self._first = sum(not point.by_votes(learning) for point in own)
        self._graded = own[self._first :]
        if not self._graded:
            return
        assert data.distributions is not None
        found = data.distributions
        self._pairs = graded_pairs(torch.from_numpy(found.shares).to(device), found.ordered)
        self._target = _padded(data.target, found.target, device)
        self._auxiliary = _padded(data.auxiliary, found.auxiliary, device)
        self._permuted = {
            seed: _padded(data.auxiliary, found.permuted[seed], device)
            for seed in {point.seed for point in self._graded if point.permuted}
        }

    def of_target(self, classes: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Return what each model sees of a batch of the target modality, (models, batch, frames).

        classes: the same. indices: of the sequences, (models, batch).
        """
        if not self._graded:
            return classes
        return torch.cat((classes[: self._first], self._target[indices[self._first :]]))

    def of_auxiliary(self, classes: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        """Return what each model sees of a batch of the auxiliary modality; as `of_target`."""
        if not self._graded:
            return classes
        codes = [
            (self._permuted[point.seed] if point.permuted else self._auxiliary)[own]
            for point, own in zip(self._graded, indices[self._first :], strict=True)
        ]
        return torch.cat((classes[: self._first], torch.stack(codes)))

    def pairs_of(self, place: int, kinds: int) -> Pairs:
        """Return how a model's pairs are graded: by votes, or classes, which are wholly the same or not.

        place: of the model among those with a triplet loss. kinds: number of classes.
        """
        if place >= self._first:
            return self._pairs
        same = torch.eye(kinds)
        return Pairs(same, 1 - same, 1 - same)

    def triplet(
        self,
        target: torch.Tensor,
        auxiliary: torch.Tensor,
        target_seen: torch.Tensor,
        auxiliary_seen: torch.Tensor,
        settings: Settings,
    ) -> Triplet:
        """Return the triplet loss of each model, graded or not; tensors as of `crossmodal_triplet`."""
        form, margin, reduction = settings.form, settings.margin, settings.reduction
        tensors = (target, auxiliary, target_seen, auxiliary_seen)
        parts = []
        if self._first:
            one, other, seen, other_seen = (tensor[: self._first] for tensor in tensors)
            parts.append(crossmodal_triplet(one, other, seen, other_seen, form, margin, reduction))
        if self._graded:
            one, other, seen, other_seen = (tensor[self._first :] for tensor in tensors)
            parts.append(graded_triplet(one, other, seen, other_seen, self._pairs, form, margin, reduction))
        return parts[0] if len(parts) == 1 else Triplet(*map(torch.cat, zip(*parts, strict=True)))


def _padded(sequences: Sequences, codes: Codes, device: torch.device) -> torch.Tensor:
    """Return codes padded as the features of their sequences are, (sequences, frames)."""
    frames = max(len(array) for array in sequences.features)
    features = torch.zeros((len(sequences), frames, 0), device=device)
    return PaddedLabels.of(Labelling(sequences.labels, codes), features).classes
