"""Sequences as learners take them: cut as `learning.sequences` asks, several views as one, other labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.features.grid import seconds_to_frames
from pipeline.learning.sequences import Sequences, subsequences
from pipeline.params import Learning


def cut(sequences: Sequences, learning: Learning, hop: float | None) -> Sequences:
    """Cut sequences into sub-sequences, if that is asked for; also those without a label are returned.

    Raises:
        ValueError: sub-sequences of utterances.
    """
    if learning.sequences == "whole":
        return sequences
    if hop is None:
        raise ValueError("learning.sequences: sub-sequences need a grid with a hop; use `whole`")
    length, step = (
        seconds_to_frames(seconds, hop) for seconds in (learning.sequences.length, learning.sequences.hop)
    )
    return subsequences(sequences, length, step)


def require_dev(evaluation: Sequences, learning: Learning) -> None:
    """Refuse to choose an epoch where there is nothing to choose it by.

    Raises:
        ValueError: the parameters need dev scores and dev has no labels.
    """
    optimiser = learning.optimiser
    needed = optimiser.weights == "best_dev_epoch" or optimiser.patience is not None
    if needed and not len(evaluation.partition("dev").labelled()):
        raise ValueError(
            "learning.optimiser: best_dev_epoch and patience need dev recordings with labels; there are none"
        )


def side_by_side(views: Sequence[Sequences]) -> Sequences:
    """Return the sequences of the recordings that every view has, with all features of a frame in one row.

    Frame k of every view is at the same time, so views of different lengths are cut to the shortest. All else
    is that of the first view.
    """
    first, *rest = views
    places = [{name: i for i, name in enumerate(view.recordings)} for view in rest]
    kept = [i for i, name in enumerate(first.recordings) if all(name in place for place in places)]
    features, frames = [], []
    for i in kept:
        name = first.recordings[i]
        arrays = [first.features[i]]
        arrays += [view.features[place[name]] for view, place in zip(rest, places, strict=True)]
        frames.append(min(map(len, arrays)))
        features.append(np.concatenate([array[: frames[-1]] for array in arrays], axis=1))
    whole = first.select(kept)

    def shortened(arrays: Sequence[NDArray]) -> tuple[NDArray, ...]:
        return tuple(array[:count] for array, count in zip(arrays, frames, strict=True))

    return Sequences(
        whole.recordings, whole.partitions, whole.speakers, tuple(features),
        shortened(whole.labels), shortened(whole.classes), shortened(whole.gold),
    )  # fmt: skip


def labels_like(
    sequences: Sequences, labels: Mapping[str, NDArray[np.float32]]
) -> tuple[NDArray[np.float32], ...]:
    """Return labels of another dimension for each sequence, as long as it; NaN where there are none.

    labels: by recording, (frames,) each.
    """
    found = []
    for name, array in zip(sequences.recordings, sequences.features, strict=True):
        own = np.full(len(array), np.nan, np.float32)
        given = labels.get(name, own)[: len(own)]
        own[: len(given)] = given
        found.append(own)
    return tuple(found)
