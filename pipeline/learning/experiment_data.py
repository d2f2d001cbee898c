"""Feature rows of modalities and aligned labels -> the data of one experiment, scaled, by view.

Frame k of a recording lies at time k * hop. Frames beyond the labels or the features are cut to the
shorter of both; a recording without labels keeps all its frames.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.recording import PARTITIONS, Recording
from pipeline.learning.scaling import Gaps, Scaler, count_gaps
from pipeline.learning.sequences import MISSING, Sequences
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.learning.train_sequences import side_by_side
from pipeline.learning.varied_enrolment import varied
from pipeline.params import Scaling, modality_of
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)


class FeatureSource(Protocol):
    """What features are read from, such as `pipeline.store.tables.FeatureTable`."""

    @property
    def recordings(self) -> list[str]:
        """Return the recordings that have rows."""

    def read(self, recording: str) -> Rows:
        """Return the rows of a recording."""

    def in_file_order(self, recordings: Iterable[str]) -> list[str]:
        """Return recordings in the order in which reading them costs least."""


@dataclass(frozen=True)
class FrameLabels:
    """The labels of one recording, (frames,) each; NaN or, in `classes`, `MISSING` where there is none.

    label: codes of sets of classes are float64.
    """

    gold_standard: NDArray[np.float64]
    label: NDArray[np.float32] | NDArray[np.float64]
    classes: NDArray[np.int64]


@dataclass(frozen=True)
class View:
    """One modality: its scaled sequences of all partitions, its scaling, names and gaps of its features.

    modality: as scenarios call it.
    """

    modality: str
    sequences: Sequences
    scaler: Scaler
    features: tuple[str, ...]
    gaps: Gaps

    @property
    def labelled(self) -> Sequences:
        """Return the train sequences with at least one label."""
        return self.sequences.partition("train").labelled()

    @property
    def unlabelled(self) -> Sequences:
        """Return the train sequences without any label."""
        train = self.sequences.partition("train")
        return train.select([i for i, labels in enumerate(train.labels) if not np.isfinite(labels).any()])

    @property
    def evaluation(self) -> Sequences:
        """Return the whole recordings of dev and test: predicted, not learned from."""
        return self.sequences.partition("dev", "test")


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


def frame_labels(labels: pd.DataFrame, dimension: str, several: bool = False) -> dict[str, FrameLabels]:
    """Return the labels of a dimension by recording, sorted by time.

    labels: with the columns recording, dimension, time, gold_standard, label, triplet_class. several: they
    are codes of sets, which single precision does not hold.
    """
    kind = np.float64 if several else np.float32
    chosen = labels[labels["dimension"] == dimension].sort_values(["recording", "time"], kind="stable")
    return {
        str(name): FrameLabels(
            rows["gold_standard"].to_numpy(np.float64),
            rows["label"].to_numpy(kind),
            rows["triplet_class"].fillna(MISSING).to_numpy(np.int64),
        )
        for name, rows in chosen.groupby("recording", sort=True)
    }


def other_labels(
    labels: pd.DataFrame, dimension: str, recordings: Sequence[Recording]
) -> dict[str, dict[str, NDArray[np.float32]]]:
    """Return the labels of all other dimensions, of recordings of train and no other partition."""
    train = {item.recording for item in recordings if item.partition == "train"}
    known = labels[labels["recording"].isin(train) & (labels["dimension"] != dimension)]
    return {
        str(name): {
            recording: own.label.astype(np.float32)
            for recording, own in frame_labels(known, str(name)).items()
        }
        for name in sorted(known["dimension"].unique())
    }


def scaled_view(
    recordings: Sequence[Recording],
    source: FeatureSource,
    labels: Mapping[str, FrameLabels],
    scaling: Scaling,
    modality: str,
    role: str,
) -> View:
    """Read, scale and cut one modality.

    modality: as scenarios call it. role: name of the view, for errors.

    Raises:
        ValueError: no features at all, none in train, or recordings have different features.
    """
    what = f"{modality} ({role})"
    known = set(source.recordings)
    present = [item for item in recordings if item.recording in known]
    if not present:
        raise ValueError(f"{what}: there are no features of any recording")
    if len(present) < len(recordings):
        logger.info("%s: %d of %d recordings have features", what, len(present), len(recordings))
    rows = {name: source.read(name) for name in source.in_file_order(item.recording for item in present)}
    names = rows[present[0].recording].names
    for name, own in rows.items():
        if own.names != names:
            raise ValueError(f"{what}: recording '{name}' has other features than '{present[0].recording}'")
    values = {name: Values(own.values, own.valid) for name, own in rows.items()}
    enrolments: dict[str, list[Values]] = {}
    for item in present:
        enrolments.setdefault(_who(item), []).append(values[item.recording])
    train = [item for item in present if item.partition == "train"]
    if not train:
        raise ValueError(f"{what}: no recording of train has features, expected some to learn from")
    if not any(values[item.recording].valid.any() for item in train):
        raise ValueError(f"{what}: no train recording has valid features")
    scaler = Scaler.fit(
        [values[item.recording] for item in train],
        scaling.method_of(modality_of(modality)),
        scaling.speaker,
        [enrolments[_who(item)] for item in train],
        scaling.clip,
    )
    gaps = count_gaps(list(values.values()))
    if gaps.rows_not_valid or gaps.values_not_finite:
        logger.warning(
            "%s: of %d rows %d are not valid; %d values are not finite and become the train mean", what, *gaps
        )
    enrolled = enrolled_of(present, values, scaler, scaling)
    scaled, limited = [], 0
    for item in present:
        array, beyond = scaler.apply_counted(values[item.recording], enrolled.get(item.recording, ()))
        scaled.append((item, array, labels.get(item.recording)))
        limited += beyond
    if limited:
        logger.warning(
            "%s: %d of %d scaled values lie beyond %g standard deviations of train and are limited to them",
            what, limited, sum(array.size for _, array, _ in scaled), scaling.clip,
        )  # fmt: skip
    return View(modality, _sequences(scaled), scaler, names, gaps)


def enrolled_of(
    present: Sequence[Recording], values: Mapping[str, Values], scaler: Scaler, scaling: Scaling
) -> dict[str, SpeakerStatistics]:
    """Return by what each recording is scaled besides its own features; nothing with `speaker: none`."""
    found: dict[str, SpeakerStatistics] = {}
    if scaling.speaker == "none":
        return found
    by_speaker: dict[str, list[Recording]] = {}
    for item in present:
        by_speaker.setdefault(_who(item), []).append(item)
    for items in by_speaker.values():
        every = scaler.statistics([values[item.recording] for item in items])
        found |= {item.recording: every for item in items}
        train = {item.recording for item in items if item.partition == "train"}
        if scaling.enrolment == "varied" and train:
            single = {item.recording: scaler.statistics([values[item.recording]]) for item in items}
            drawn = varied(single, scaler.features)
            found |= {name: own for name, own in drawn.items() if name in train}
    return found


def _who(item: Recording) -> str:
    """Return the speaker; of a recording without one nothing else is known to be of the same speaker."""
    return item.speaker or item.recording


def _sequences(items: Sequence[tuple[Recording, NDArray[np.float32], FrameLabels | None]]) -> Sequences:
    """Put features and labels together, cut to the shorter; recordings without any row are left out."""
    cut = []
    for item, array, own in items:
        frames = len(array) if own is None else min(len(array), len(own.label))
        if own is None:
            own = FrameLabels(
                np.full(frames, np.nan),
                np.full(frames, np.nan, np.float32),
                np.full(frames, MISSING, np.int64),
            )
        if frames:
            cut.append(
                (item, array[:frames], own.label[:frames], own.classes[:frames], own.gold_standard[:frames])
            )
    return Sequences(
        tuple(entry[0].recording for entry in cut),
        tuple(entry[0].partition for entry in cut),
        tuple(entry[0].speaker for entry in cut),
        *(tuple(entry[part] for entry in cut) for part in range(1, 5)),  # type: ignore[arg-type]
    )
