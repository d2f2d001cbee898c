"""Feature rows of one modality and labels -> its scaled sequences, cut to the shorter of both.

Frame k of a recording lies at time k * hop. Frames beyond the labels or the features are left out; a
recording without labels keeps all its frames.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.learning.frame_labels import FrameLabels
from pipeline.learning.scaling import Gaps, Scaler, count_gaps
from pipeline.learning.sequences import MISSING, Sequences
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
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
