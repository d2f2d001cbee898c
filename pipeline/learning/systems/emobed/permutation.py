"""Sequences -> the labels of other recordings in place of their own: what the placebo learns from.

A whole label sequence moves to another recording, with its classes of the triplet loss: as many labels, as
smooth, as often of each class as before, and nothing in the features that they follow from.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.sequences import MISSING, Sequences

logger = logging.getLogger(__name__)


def permutation(count: int, seed: int) -> NDArray[np.int64]:
    """Return whose labels each of `count` recordings gets, drawn at random among orders that keep none.

    With one recording there is no other: it keeps its own, with a warning, so that the placebo is EmoBed.
    """
    own = np.arange(count)
    if count < 2:
        logger.warning("placebo: there is one labelled train recording, whose labels cannot be permuted")
        return own
    random = numpy_stream(seed, "placebo")
    while True:  # e draws on average
        drawn = random.permutation(count)
        if not (drawn == own).any():
            return drawn


def relabelled(sequences: Sequences, order: Sequence[int] | NDArray[np.int64]) -> Sequences:
    """Return the sequences with the labels, classes and gold standard of those at `order`.

    Frame k gets what frame k of the other has: a longer one is cut at the end, a shorter one leaves the rest
    without label.
    """
    lengths = [len(array) for array in sequences.features]
    moved = {
        "labels": _moved(sequences.labels, order, lengths, np.nan),
        "classes": _moved(sequences.classes, order, lengths, MISSING),
        "gold": _moved(sequences.gold, order, lengths, np.nan),
    }
    return Sequences(**{**vars(sequences), **moved})


def _moved(
    arrays: Sequence[NDArray[np.generic]],
    order: Sequence[int] | NDArray[np.int64],
    lengths: Sequence[int],
    missing: float,
) -> tuple[NDArray[np.generic], ...]:
    found = []
    for other, length in zip(order, lengths, strict=True):
        array = np.full(length, missing, arrays[other].dtype)
        shared = min(length, len(arrays[other]))
        array[:shared] = arrays[other][:shared]
        found.append(array)
    return tuple(found)
