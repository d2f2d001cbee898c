"""The data of an experiment -> what the autoencoders and the head of `matched` learn from and predict."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.grid import seconds_to_frames
from pipeline.learning.batches import steps_per_epoch
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import LeftOutError
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.matched.autoencoders import Shape
from pipeline.learning.train_sequences import cut, require_dev
from pipeline.params import Learning, modality_of
from pipeline.params.systems import FEWEST_MATCHED

HUB = "audio"
"""The modality that each other is held against; where a scenario has none, the target is."""


@dataclass(frozen=True)
class MatchedData:
    """What the networks learn from.

    train: all recordings of train that the target has, the features of all views side by side, zeros for
    those that a recording lacks; of gold standards nothing is left. present: (recordings, views).
    evaluation: dev and test with the features of the target; paired: those of them that have all modalities,
    features side by side. hub: place of its view. steps: of an epoch. each: label times of a recording in a
    batch: 1 for utterances, else as many as the recording that has fewest can give. positive_weight: of a
    label of each class, where an utterance may have several.
    """

    shape: Shape
    train: Sequences
    present: NDArray[np.bool_]
    evaluation: Sequences
    paired: Sequences
    hub: int
    delay_frames: int
    steps: int
    each: int
    positive_weight: tuple[float, ...] = ()

    @property
    def seen(self) -> NDArray[np.int64]:
        """Return the places of recordings of train that have labels."""
        return np.flatnonzero([np.isfinite(labels).any() for labels in self.train.labels])

    @property
    def unlabelled(self) -> NDArray[np.int64]:
        """Return the places of the others."""
        return np.setdiff1d(np.arange(len(self.train)), self.seen)

    @property
    def pairs(self) -> NDArray[np.int64]:
        """Return the places of recordings of train that have all modalities."""
        return np.flatnonzero(self.present.all(1))


def matched_data(data: ExperimentData, learning: Learning, system: str) -> MatchedData:
    """Return the data of a scenario; system: for errors.

    Raises:
        LeftOutError: fewer than `FEWEST_MATCHED` recordings of train have all modalities.
        ValueError: the parameters need dev scores and dev has no labels.
    """
    own, views = learning.matched, list(data.views.values())
    evaluation = data.views["target"].evaluation
    require_dev(evaluation, learning)
    train, present = _train(data)
    if (pairs := int(present.all(1).sum())) < FEWEST_MATCHED:
        every = " and ".join(view.modality for view in views)
        raise LeftOutError(
            f"{system} is left out: it matches {every} in recordings of train that have all of them, found "
            f"{pairs}, expected {FEWEST_MATCHED} or more"
        )
    frames = 1 if data.hop is None else max(1, seconds_to_frames(own.span, data.hop))
    shape = Shape(
        data.widths, frames, own.layers, own.hidden, own.latent, own.heads, own.convolutions, data.outputs,
        data.several,
    )  # fmt: skip
    batch = learning.optimiser.batch
    # as many steps as EmoBed's, or more, so that all that has no label is seen in an epoch
    counts = [len(cut(view.labelled, learning, data.hop).labelled()) for view in views]
    counts.append(len(train) - len(train.labelled()))
    steps = max(steps_per_epoch(count, 0, batch) for count in counts if count)
    known = [np.isfinite(labels).sum() or len(labels) for labels in train.labels]
    names = [modality_of(view.modality) for view in views]
    return MatchedData(
        shape, train, present, evaluation, data.paired.partition("dev", "test"),
        names.index(HUB) if HUB in names else 0, data.delay_frames, steps,
        1 if data.hop is None else min(own.times, *map(int, known)),
        data.positive_weight,
    )  # fmt: skip


def _train(data: ExperimentData) -> tuple[Sequences, NDArray[np.bool_]]:
    """Return the recordings of train, cut to the shortest of the views that each has, and which these are."""
    first, *rest = (view.sequences.partition("train") for view in data.views.values())
    places = [{name: i for i, name in enumerate(view.recordings)} for view in rest]
    present = np.array([[True, *(name in own for own in places)] for name in first.recordings], bool)
    features = []
    for i, name in enumerate(first.recordings):
        found = [first.features[i]]
        for view, own, width in zip(rest, places, data.widths[1:], strict=True):
            lacking = np.zeros((len(first.features[i]), width), np.float32)
            found.append(view.features[own[name]] if name in own else lacking)
        frames = min(map(len, found))
        features.append(np.concatenate([array[:frames] for array in found], axis=1))
    labels = tuple(own[: len(array)] for own, array in zip(first.labels, features, strict=True))
    return dataclasses.replace(
        first, features=tuple(features), labels=labels,
        classes=tuple(np.full(len(own), -1) for own in labels),
        gold=tuple(np.full(len(own), np.nan) for own in labels),
    ), present.reshape(len(first), len(data.views))  # fmt: skip
