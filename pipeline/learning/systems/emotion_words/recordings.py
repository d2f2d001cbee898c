"""Sequences of several views -> recordings: what each has of every modality, and which classes it carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences


@dataclass(frozen=True)
class WordRecordings:
    """Recordings with at least one modality.

    features: by view, (frames, features) of each recording, None where it lacks the modality. labels: 1 for
    each class that a recording carries and 0 for the others, (recordings, classes); a row of NaN where it has
    no label.
    """

    names: tuple[str, ...]
    features: Mapping[str, tuple[NDArray[np.float32] | None, ...]]
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of recordings."""
        return len(self.names)

    @classmethod
    def of(cls, views: Mapping[str, Sequences], names: Iterable[str], labels: NDArray[np.float32]) -> Self:
        """Put the views of recordings together."""
        names = tuple(names)
        by_view = {view: dict(zip(own.recordings, own.features, strict=True)) for view, own in views.items()}
        features = {view: tuple(map(own.get, names)) for view, own in by_view.items()}
        return cls(names, features, labels)

    def select(self, places: Sequence[int] | NDArray[np.int64]) -> Self:
        """Return the recordings at some places, in their order."""
        return type(self)(
            tuple(self.names[i] for i in places),
            {view: tuple(own[i] for i in places) for view, own in self.features.items()},
            self.labels[np.asarray(places, np.int64)],
        )

    def sha256(self) -> str:
        """Return the hash of everything that the recordings hold."""
        digest = hashlib.sha256()
        for view, own in self.features.items():
            digest.update(view.encode())
            for name, array in zip(self.names, own, strict=True):
                digest.update(f"{name}|{None if array is None else array.shape}".encode())
                digest.update(b"" if array is None else np.ascontiguousarray(array).tobytes())
        digest.update(np.ascontiguousarray(self.labels).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class PaddedRecordings:
    """Recordings as tensors.

    features: by view, (recordings, frames, features), zeros where there is nothing. lengths: by view, frames
    of each recording, 1 of one that lacks the modality. there: 1.0 where a recording has a modality,
    (modalities, recordings). labels: (recordings, classes).
    """

    features: Mapping[str, torch.Tensor]
    lengths: Mapping[str, torch.Tensor]
    there: torch.Tensor
    labels: torch.Tensor

    @classmethod
    def of(cls, recordings: WordRecordings, widths: Mapping[str, int], device: torch.device) -> Self:
        """Pad each view to its longest recording; widths: features of each view."""
        features, lengths, there = {}, {}, []
        for view, own in recordings.features.items():
            counts = [1 if array is None else len(array) for array in own]
            padded = np.zeros((len(own), max(counts, default=1), widths[view]), np.float32)
            for row, array in zip(padded, own, strict=True):
                if array is not None:
                    row[: len(array)] = array
            features[view] = torch.from_numpy(padded).to(device)
            lengths[view] = torch.tensor(counts, device=device)
            there.append([array is not None for array in own])
        return cls(
            features,
            lengths,
            torch.tensor(there, dtype=torch.float32, device=device),
            torch.from_numpy(recordings.labels).to(device),
        )

    def __len__(self) -> int:
        """Return the number of recordings."""
        return len(self.labels)

    def gather(self, places: torch.Tensor) -> Self:
        """Return the recordings at some places."""
        return type(self)(
            {view: own[places] for view, own in self.features.items()},
            {view: own[places] for view, own in self.lengths.items()},
            self.there[:, places],
            self.labels[places],
        )

    @property
    def views(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Return features and lengths by view."""
        return {view: (own, self.lengths[view]) for view, own in self.features.items()}


def label_matrix(codes: Sequence[NDArray[np.floating]], classes: int, several: bool) -> NDArray[np.float32]:
    """Return which classes each recording carries, (recordings, classes), NaN where it has no label.

    codes: at each frame, (frames,) each, of the class or, if there may be several, of the set of them; an
    utterance has the same in all its frames.
    """
    found = np.full((len(codes), classes), np.nan, np.float32)
    for row, own in zip(found, codes, strict=True):
        known = own[np.isfinite(own)]
        if len(known):
            row[:] = matrix_of(known[0], classes) if several else np.arange(classes) == known[0]
    return found


def carried(data: ExperimentData) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return which classes the labelled recordings of train and dev carry, of all views."""
    found: dict[str, dict[str, NDArray[np.float32]]] = {}
    for view in data.views.values():
        for partition in ("train", "dev"):
            part = view.sequences.partition(partition)
            codes = part.labels if partition == "train" else part.gold
            rows = label_matrix(codes, len(data.classes), data.several)
            known = {n: row for n, row in zip(part.recordings, rows, strict=True) if np.isfinite(row).all()}
            found[partition] = known | found.get(partition, {})
    return found
