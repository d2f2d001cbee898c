"""Recordings of one modality with labels: the sequences that every system learns from and predicts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

MISSING = -1
"""Class of a frame without a label."""


class Labelling(NamedTuple):
    """Labels and classes of sequences, (frames,) each, as in `Sequences`."""

    labels: tuple[NDArray[np.float32], ...]
    classes: tuple[NDArray[np.int64], ...]

    def sha256(self) -> str:
        """Return the hash of all labels and classes."""
        digest = hashlib.sha256()
        for labels, classes in zip(self.labels, self.classes, strict=True):
            digest.update(f"{len(labels)}".encode() + labels.tobytes() + classes.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Sequences:
    """Sequences of one modality, scaled; one entry of each tuple per sequence.

    features: (frames, features) each. labels: what the loss sees, (frames,) each, NaN where there is none;
    class codes for classification, for task multilabel codes of sets (float64). classes: of the triplet loss,
    (frames,) each, `MISSING` where there is none. gold: the gold standard at the frame's own time, (frames,)
    each, NaN where there is none.
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
