"""The views of one experiment -> what systems learn from and what they predict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.recording import PARTITIONS
from pipeline.learning.sequences import Sequences
from pipeline.learning.train_sequences import side_by_side
from pipeline.learning.views import View

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ExperimentData:
    """What systems learn from, and what they predict.

    views: by name, `target` first: predictions are of its recordings and frames. classes: names by code, none
    for regression. several: an utterance may have any number of them, and labels are codes of sets
    (`pipeline.corpora.label_sets`). hop: seconds, None for utterances. delay_frames: by which labels were
    moved. other_labels: of dimensions besides the one that is predicted, by dimension and recording,
    (frames,) each; of train alone. votes: shares of the classes of the triplet loss among the raters, by
    recording, (frames, classes) each; of train alone, and only where raters are known. rescaled: returns the
    views without some recordings, which then take no part in their scaling either.
    """

    views: Mapping[str, View]
    classes: tuple[str, ...]
    hop: float | None
    delay_frames: int
    other_labels: Mapping[str, Mapping[str, NDArray[np.float32]]] = field(default_factory=dict)
    several: bool = False
    votes: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    rescaled: Callable[[Collection[str]], Mapping[str, View]] | None = None

    def without(self, recordings: Collection[str]) -> ExperimentData:
        """Return the data as if some recordings were not there."""
        assert self.rescaled is not None, "the engine of experiments gives it"
        return replace(self, views=self.rescaled(recordings))

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the number of features of each view."""
        return tuple(len(view.features) for view in self.views.values())

    @cached_property
    def by_modality(self) -> ExperimentData:
        """Return the same data with its views in alphabetical order of their modalities.

        What is learned from all of them together is then the same whichever is called the target.
        """
        order = sorted(self.views, key=lambda name: self.views[name].modality)
        return replace(self, views={name: self.views[name] for name in order})

    @cached_property
    def paired(self) -> Sequences:
        """Return the sequences of the recordings that all views have, all features of a frame in one row."""
        found = side_by_side([view.sequences for view in self.views.values()])
        every = self.views["target"].sequences
        counts = {part: (len(found.partition(part)), len(every.partition(part))) for part in PARTITIONS}
        if any(own < of for own, of in counts.values()):
            logger.info(
                "%s together: %s recordings have all",
                " and ".join(view.modality for view in self.views.values()),
                ", ".join(f"{part} {own} of {of}" for part, (own, of) in counts.items()),
            )
        return found

    @property
    def outputs(self) -> int:
        """Return how many numbers a frame's prediction has: 1, or one per class."""
        return max(1, len(self.classes))

    @property
    def evaluation(self) -> Sequences:
        """Return what is predicted."""
        return next(iter(self.views.values())).evaluation

    def label_matrix(self, sequences: Sequences) -> NDArray[np.bool_]:
        """Return which classes each labelled sequence has, (sequences, classes), its first frame's."""
        codes = np.array([labels[0] for labels in sequences.labels], np.float64)
        if self.several:
            return matrix_of(codes, len(self.classes))
        return np.asarray(codes[:, None] == np.arange(len(self.classes)))

    @cached_property
    def positive_weight(self) -> tuple[float, ...]:
        """Return absent / present labels of each class in the target's labelled train recordings, (classes,).

        1 for a class that all or none of them have; empty where an utterance has one class.
        """
        if not self.several:
            return ()
        present = self.label_matrix(self.views["target"].labelled)
        counts = present.sum(axis=0)
        return tuple(
            float((len(present) - count) / count) if 0 < count < len(present) else 1.0 for count in counts
        )

    def check(self, dimension: str) -> None:
        """Refuse views without anything to learn from; log classes that a view never shows.

        Raises:
            ValueError: a view has no labelled train recording.
        """
        for name, view in self.views.items():
            chosen = view.labelled
            if not len(chosen):
                raise ValueError(f"no train recording with {name} features has labels for {dimension}")
            if unlabelled := len(view.unlabelled):
                logger.info(
                    "%s (%s): %d train recordings have labels for %s, %d have none",
                    view.modality, name, len(chosen), dimension, unlabelled,
                )  # fmt: skip
            present = self.label_matrix(chosen) if self.classes else np.zeros((0, 0), bool)
            missing = [label for code, label in enumerate(self.classes) if not present[:, code].any()]
            if missing:
                classes = "class" if len(missing) == 1 else "classes"
                logger.warning("%s: no train utterance of the %s %s", name, classes, ", ".join(missing))
