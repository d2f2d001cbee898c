"""Votes of raters -> the distribution of classes at each frame, and codes of equal distributions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.learning.sequences import MISSING, Sequences

Codes = tuple[NDArray[np.int64], ...]
"""Codes of the distributions of sequences, (frames,) each; `MISSING` for a frame without a class."""


def votes_of_dimension(votes: pd.DataFrame | None, dimension: str) -> dict[str, NDArray[np.float32]]:
    """Return the shares of the classes by recording, (frames, classes) each; 0 where nobody voted.

    votes: as `pipeline.labels.votes` wrote it; None: the corpus keeps no raters.
    """
    found: dict[str, NDArray[np.float32]] = {}
    if votes is None:
        return found
    own = votes[votes["dimension"] == dimension]
    for name, rows in own.groupby("recording", sort=True):
        frames, classes = rows["frame"].to_numpy(), rows["triplet_class"].to_numpy()
        shares = np.zeros((frames.max() + 1, own["triplet_class"].max() + 1), np.float32)
        shares[frames, classes] = rows["share"].to_numpy()
        found[str(name)] = shares
    return found


@dataclass(frozen=True)
class Distributions:
    """What raters saw in the sequences of both modalities.

    shares: of the classes in each distribution that occurs, (distributions, classes). ordered: whether
    classes lie in order, as those of traces do. target, auxiliary: codes of distributions, of the training
    sequences. permuted: by seed, what the placebo sees in place of `auxiliary`.
    """

    shares: NDArray[np.float32]
    ordered: bool
    target: Codes
    auxiliary: Codes
    permuted: Mapping[int, Codes] = field(default_factory=dict)

    def same_modality(self) -> Self:
        """Return the distributions with the target as its own auxiliary modality."""
        return replace(self, auxiliary=self.target, permuted={})

    def sha256(self, seed: int | None = None) -> str:
        """Return the hash of all that a model sees; seed: of a placebo, None for other models."""
        digest = hashlib.sha256(f"{self.shares.shape}|{self.ordered}".encode() + self.shares.tobytes())
        for codes in (self.target, self.auxiliary if seed is None else self.permuted[seed]):
            for own in codes:
                digest.update(f"{len(own)}".encode() + own.tobytes())
        return digest.hexdigest()


def coded(
    sequences: tuple[Sequences, ...], votes: Mapping[str, NDArray[np.float32]]
) -> tuple[NDArray[np.float32], tuple[Sequences, ...]]:
    """Return the distributions that occur, (distributions, classes), and sequences with their codes.

    The codes stand in place of the classes. Where nobody voted the class is the only thing known: all of the
    distribution is on it.

    votes: by recording, (frames, classes).
    """
    every = [classes.max(initial=0) for part in sequences for classes in part.classes]
    width = int(max([0, *every, *(own.shape[1] - 1 for own in votes.values())])) + 1
    rows = [
        _shares(classes, votes.get(name), width)
        for part in sequences
        for name, classes in zip(part.recordings, part.classes, strict=True)
    ]
    known: list[NDArray[np.bool_]] = [np.asarray(own.any(axis=1)) for own in rows]  # (frames,) each
    every_row = [own[where] for own, where in zip(rows, known, strict=True)]
    shares, codes = np.unique(np.concatenate(every_row), axis=0, return_inverse=True)
    left = iter(np.split(codes.ravel(), np.cumsum([where.sum() for where in known])[:-1]))
    found, of_sequences = [], iter(known)
    for part in sequences:
        classes = []
        for _ in part.classes:
            where = next(of_sequences)
            own = np.full(len(where), MISSING, np.int64)
            own[where] = next(left)
            classes.append(own)
        found.append(replace(part, classes=tuple(classes)))
    return shares, tuple(found)


def _shares(classes: NDArray[np.int64], votes: NDArray[np.float32] | None, width: int) -> NDArray[np.float32]:
    """Return the shares at each frame, (frames, width); all 0 for a frame without a class."""
    shares = np.zeros((len(classes), width), np.float32)
    if votes is not None:
        frames = min(len(classes), len(votes))
        shares[:frames, : votes.shape[1]] = votes[:frames]
    silent = np.flatnonzero(~shares.any(axis=1))
    shares[silent, np.maximum(classes[silent], 0)] = 1
    shares[classes == MISSING] = 0
    return shares
