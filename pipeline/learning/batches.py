"""Recordings with features and labels -> padded sequences -> seeded, unpaired batches.

The batches of the two modalities are drawn independently (method.md, section 1): nothing has to be
paired or of the same number; the smaller modality is cycled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream

MISSING = -1
"""Class of a frame without a label."""


@dataclass(frozen=True)
class Sequences:
    """Sequences of one modality, scaled; one entry of each tuple per sequence.

    features: (frames, features) each. labels: what the loss sees, (frames,) each, NaN where there
    is none; class codes for classification. classes: of the triplet loss, (frames,) each, `MISSING`
    where there is none. gold: the gold standard at the frame's own time, (frames,) each, NaN where
    there is none.
    """

    recordings: tuple[str, ...]
    partitions: tuple[str, ...]
    speakers: tuple[str, ...]
    features: tuple[NDArray[np.float32], ...]
    labels: tuple[NDArray[np.float32], ...]
    classes: tuple[NDArray[np.int64], ...]
    gold: tuple[NDArray[np.float64], ...]

    def __post_init__(self) -> None:
        """Refuse sequences whose parts do not belong together.

        Raises:
            ValueError: the parts of a sequence have different numbers of frames, or none.
        """
        for i, name in enumerate(self.recordings):
            parts = (self.features, self.labels, self.classes, self.gold)
            lengths = [len(part[i]) for part in parts]
            if len(set(lengths)) != 1 or lengths[0] == 0:
                raise ValueError(f"{name}: features, labels, classes, gold have {lengths} frames")

    def __len__(self) -> int:
        """Return the number of sequences."""
        return len(self.recordings)

    def select(self, keep: Sequence[int]) -> Self:
        """Return the sequences at the positions `keep`, in that order."""
        return type(self)(
            *(
                tuple(getattr(self, part)[i] for i in keep)
                for part in (
                    "recordings",
                    "partitions",
                    "speakers",
                    "features",
                    "labels",
                    "classes",
                    "gold",
                )
            )
        )

    def partition(self, *names: str) -> Self:
        """Return the sequences of the named partitions."""
        return self.select([i for i, name in enumerate(self.partitions) if name in names])

    def labelled(self) -> Self:
        """Return the sequences with at least one label."""
        return self.select([i for i, labels in enumerate(self.labels) if np.isfinite(labels).any()])

    def sha256(self) -> str:
        """Return the hash of everything the sequences hold."""
        digest = hashlib.sha256()
        for i, name in enumerate(self.recordings):
            digest.update(f"{name}|{self.partitions[i]}|{self.speakers[i]}|{self.features[i].shape}".encode())
            for array in (self.features[i], self.labels[i], self.classes[i], self.gold[i]):
                digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()


def subsequences(sequences: Sequences, length: int, hop: int) -> Sequences:
    """Cut sequences into sub-sequences of `length` frames every `hop` frames.

    The last one ends where the recording ends, so that all have the same length and no frame is
    lost; a recording shorter than `length` stays whole.

    Raises:
        ValueError: `length` or `hop` is below one frame.
    """
    if length < 1 or hop < 1:
        raise ValueError(f"sub-sequences need at least one frame, found length {length} and hop {hop} frames")
    parts: dict[str, list[object]] = {name: [] for name in Sequences.__dataclass_fields__}
    for i, array in enumerate(sequences.features):
        last = max(0, len(array) - length)
        for start in sorted({*range(0, last, hop), last}):
            for name, found in parts.items():
                value = getattr(sequences, name)[i]
                found.append(value[start : start + length] if isinstance(value, np.ndarray) else value)
    return Sequences(**{name: tuple(found) for name, found in parts.items()})  # type: ignore[arg-type]


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
        labels = np.full((count, frames), np.nan, np.float32)
        classes = np.full((count, frames), MISSING, np.int64)
        for i, array in enumerate(sequences.features):
            features[i, : len(array)] = array
            labels[i, : len(array)] = sequences.labels[i]
            classes[i, : len(array)] = sequences.classes[i]
        return cls(
            torch.from_numpy(features).to(device, dtype),
            torch.from_numpy(np.nan_to_num(labels, nan=0.0)).to(device, dtype),
            torch.from_numpy(np.isfinite(labels)).to(device, dtype),
            torch.from_numpy(classes).to(device),
            torch.tensor([len(array) for array in sequences.features], device=device),
        )

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
