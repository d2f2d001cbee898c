"""Sequences -> padded tensors -> seeded, unpaired batches.

The batches of the two modalities are drawn independently: nothing has to be
paired or of the same number; the smaller modality is cycled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.sequences import MISSING, Labelling, Sequences


class PaddedLabels(NamedTuple):
    """Labels of sequences, padded; each (..., frames), as in `Padded`."""

    labels: torch.Tensor
    labelled: torch.Tensor
    classes: torch.Tensor

    @classmethod
    def of(cls, labelling: Labelling, features: torch.Tensor) -> Self:
        """Pad labels as `features`, (sequences, frames, features), are padded; on their device."""
        # codes of sets are float64, of which there are more than single precision counts
        kind = np.result_type(np.float32, *labelling.labels)
        labels = np.full(features.shape[:2], np.nan, kind)
        classes = np.full(features.shape[:2], MISSING, np.int64)
        for i, own in enumerate(labelling.labels):
            labels[i, : len(own)], classes[i, : len(own)] = own, labelling.classes[i]
        known = torch.from_numpy(np.nan_to_num(labels, nan=0.0))
        return cls(
            known.to(features) if kind == np.float32 else known.to(features.device),
            torch.from_numpy(np.isfinite(labels)).to(features),
            torch.from_numpy(classes).to(features.device),
        )


FRAMES_AT_ONCE = 32_768
"""Frames of recordings that are predicted in one go; bounds memory."""


@dataclass(frozen=True)
class Padded:
    """Sequences (or a batch of them for each model) as tensors, padded at the end with zeros.

    features: (..., frames, features). labels: (..., frames), 0 where there is none. labelled:
    (..., frames), 1.0 where there is a label. classes: (..., frames). lengths: (...), frames.
    """

    features: torch.Tensor
    labels: torch.Tensor
    labelled: torch.Tensor
    classes: torch.Tensor
    lengths: torch.Tensor

    @classmethod
    def of(cls, sequences: Sequences, device: torch.device, dtype: torch.dtype = torch.float32) -> Self:
        """Pad all sequences to the longest one.

        Padding every batch to the longest sequence of the whole set, not of the batch, makes a
        model's arithmetic independent of the models trained beside it.
        """
        count, frames = len(sequences), max(len(array) for array in sequences.features)
        features = np.zeros((count, frames, sequences.features[0].shape[1]), np.float32)
        for i, array in enumerate(sequences.features):
            features[i, : len(array)] = array
        padded = torch.from_numpy(features).to(device, dtype)
        labelling = PaddedLabels.of(Labelling(sequences.labels, sequences.classes), padded)
        lengths = torch.tensor([len(array) for array in sequences.features], device=device)
        return cls(padded, *labelling, lengths)

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.lengths)

    def gather(self, indices: torch.Tensor) -> Padded:
        """Return the sequences at `indices` (models, batch), as (models, batch, frames, ...)."""
        return Padded(
            self.features[indices],
            self.labels[indices],
            self.labelled[indices],
            self.classes[indices],
            self.lengths[indices],
        )

    def relabel(self, models: slice, labels: PaddedLabels) -> None:
        """Put other labels into a batch that `gather` returned. labels: (models, batch, frames) each."""
        for own, other in zip((self.labels, self.labelled, self.classes), labels, strict=True):
            own[models] = other


class SeededOrder:
    """Indices of sequences in random passes without end, the same for a seed and a modality."""

    def __init__(self, count: int, batch: int, seed: int, modality: str) -> None:
        """Start the passes over `count` sequences in batches of `batch` (at most `count`)."""
        self._count, self._batch = count, min(batch, count)
        self._random = numpy_stream(seed, "batches", modality)
        self._waiting: NDArray[np.int64] = np.empty(0, np.int64)

    def draw(self) -> NDArray[np.int64]:
        """Return the next batch of indices, (batch,); a batch may reach over two passes."""
        while len(self._waiting) < self._batch:
            self._waiting = np.concatenate((self._waiting, self._random.permutation(self._count)))
        batch, self._waiting = self._waiting[: self._batch], self._waiting[self._batch :]
        return batch


def steps_per_epoch(target: int, auxiliary: int, batch: int) -> int:
    """Return how many steps see each sequence of the larger modality once.

    target, auxiliary: numbers of sequences; 0 for a modality that is not used.
    """
    return max(-(-count // min(batch, count)) for count in (target, auxiliary) if count)


def in_one_go(recordings: Sequence[int], lengths: Sequence[int]) -> list[list[int]]:
    """Group recordings so that a group, padded, has at most `FRAMES_AT_ONCE` frames.

    The groups follow from the data alone, whatever the number of models, so that rounding does too.
    """
    groups: list[list[int]] = []
    for i in recordings:
        if groups and (len(groups[-1]) + 1) * max(lengths[j] for j in (*groups[-1], i)) <= FRAMES_AT_ONCE:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
