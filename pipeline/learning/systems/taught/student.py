"""A network of the target, labels and what teachers said -> a trained student.

`J = (1 - w) L_labels + w L_teacher + similarity L_similarity`. Labels and what is taught have batches of
their own. What a teacher is less sure of than `taught.confidence` is not learned; of the rest frames of
classes count alike, sequences of a continuous dimension by their teacher's agreement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Padded, SeededOrder
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.taught.soft_losses import (
    similarity_loss,
    soft_cross_entropy,
    weighted_ccc_loss,
    weighted_mse,
)
from pipeline.learning.systems.taught.teacher import Said, mean_state
from pipeline.learning.torch_loop import LoopData, Run
from pipeline.params import Learning


class Student(Run):
    """One training of a student."""

    def __init__(
        self,
        data: LoopData,
        pools: Sequence[Sequences],
        said: Sequence[Said],
        learning: Learning,
        seed: int,
        device: str,
        name: str,
    ) -> None:
        """Draw start weights and both orders of batches from the seed.

        pools: of each lesson the sequences with the target's features. said: of each what its teacher said.
        """
        super().__init__(data, learning, seed, device, name)
        whole = Sequences(
            *(
                tuple(entry for pool in pools for entry in getattr(pool, part))
                for part in Sequences.__dataclass_fields__
            )
        )
        self.pool = Padded.of(whole, self.device)
        frames = self.pool.features.shape[1]
        outputs = _padded([own for each in said for own in each.outputs], frames)
        sure = _padded([own for each in said for own in each.sure], frames)
        weight = sure >= learning.taught.confidence
        there = np.arange(frames) < np.array([len(array) for array in whole.features])[:, None]
        self.said = torch.from_numpy(outputs).to(self.device)
        counted = weight & there if data.sizes.outputs > 1 else sure * weight * there
        self.weight = torch.from_numpy(counted.astype(np.float32)).to(self.device)
        self.states = torch.from_numpy(np.concatenate([each.states for each in said], axis=1)).to(self.device)
        numbers = np.repeat(np.arange(len(pools)), [len(pool) for pool in pools])
        self.lesson = torch.from_numpy(numbers).to(self.device)
        self.taught_order = SeededOrder(len(whole), learning.optimiser.batch, seed, "taught")

    def _losses(self, other_weight: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]:
        """Draw both batches; other_weight: of the teacher."""
        _, labels, _ = super()._losses(0.0)
        drawn = torch.from_numpy(self.taught_order.draw()).to(self.device)
        lengths = self.pool.lengths[drawn]
        states = self.network.states(self.pool.features[drawn], lengths)
        teacher = self._taught(self.network.head(states), drawn)
        total = (1 - other_weight) * labels + other_weight * teacher
        if self.learning.taught.similarity:
            own = self.lesson[drawn]
            # teachers of two lessons have spaces of their own
            together = (own[:, None] == own[None]).to(states)
            similar = similarity_loss(mean_state(states, lengths), self.states[:, drawn], together)
            total = total + self.learning.taught.similarity * similar
        return total, labels, teacher

    def _taught(self, outputs: torch.Tensor, drawn: torch.Tensor) -> torch.Tensor:
        """Return the loss of what the teacher says."""
        said, weight, own = self.said[drawn], self.weight[drawn], self.learning.taught
        if self.learning.loss == "cross_entropy":
            return soft_cross_entropy(outputs, said, weight, own.temperature)
        if self.learning.loss == "mse":
            return weighted_mse(outputs[..., 0], said[..., 0], weight)
        return weighted_ccc_loss(outputs[..., 0], said[..., 0], weight, self.learning.ccc)


def _padded(arrays: Sequence[NDArray[np.float32]], frames: int) -> NDArray[np.float32]:
    """Return arrays (frames, ...) as one, padded at the end with zeros."""
    found = np.zeros((len(arrays), frames, *arrays[0].shape[1:]), np.float32)
    for row, own in zip(found, arrays, strict=True):
        row[: len(own)] = own
    return found
