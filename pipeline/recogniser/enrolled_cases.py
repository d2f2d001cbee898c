"""Recordings of dev and test -> their features, scaled with none, some or all of the speaker's enrolled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.features.sources import open_features
from pipeline.learning.frame_labels import frame_labels
from pipeline.learning.scaling import Scaler
from pipeline.learning.seeding import numpy_stream
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths
from pipeline.scoring.scored_models import SCORED_PARTITIONS

NUMBERS = (0, 1, 2, 3, 5, 10)
"""Of enrolled recordings."""
DRAWS = 5
"""Of which recordings are enrolled."""
EVERY = "all"


class Case(NamedTuple):
    """How many recordings are enrolled, and which draw of them it is; all of them in draw 0."""

    enrolled: str
    draw: int


@dataclass(frozen=True)
class Scaled:
    """A recording of the target as it is scaled in each case: features (cases, frames, features).

    own: recordings of its speaker, itself among them, with labels or without.
    """

    partition: str
    speaker: str
    own: int
    gold: NDArray[np.float64]
    cases: tuple[Case, ...]
    features: NDArray[np.float32]


def scaled_recordings(
    paths: Paths,
    corpus: Corpus,
    recordings: Sequence[Recording],
    scenario: Scenario,
    dimension: str,
    scaler: Scaler,
) -> Iterator[Scaled]:
    """Give the labelled recordings of dev and test, scaled in every case."""
    source = open_features(paths, corpus, scenario.target, dimension)
    known = set(source.recordings)
    labels = frame_labels(pd.read_parquet(paths.label_table), dimension)
    scored = {item.speaker or item.recording for item in recordings if item.partition in SCORED_PARTITIONS}
    by_speaker: dict[str, list[Recording]] = {}
    for item in recordings:
        speaker = item.speaker or item.recording
        if item.recording in known and speaker in scored:
            by_speaker.setdefault(speaker, []).append(item)
    for speaker, items in by_speaker.items():
        rows = {}
        for name in source.in_file_order(item.recording for item in items):
            own = source.read(name)
            rows[name] = Values(own.values, own.valid)
        single = {name: scaler.statistics([own]) for name, own in rows.items()}
        every = scaler.statistics([rows[item.recording] for item in items])
        for item in items:
            label = labels.get(item.recording)
            if label is None or item.partition not in SCORED_PARTITIONS:
                continue
            frames = min(len(label.gold_standard), len(rows[item.recording].values))
            if not np.isfinite(label.gold_standard[:frames]).any():
                continue
            others = sorted(name for name in single if name != item.recording)
            cases = {Case(EVERY, 0): every}
            cases |= dict(_drawn(item.recording, [single[name] for name in others], scaler, corpus))
            features = scaler.apply_each(rows[item.recording], list(cases.values()))[:, :frames]
            gold = label.gold_standard[:frames]
            yield Scaled(item.partition, speaker, len(items), gold, tuple(cases), features)


def _drawn(
    recording: str, others: Sequence[SpeakerStatistics], scaler: Scaler, corpus: Corpus
) -> Iterator[tuple[Case, SpeakerStatistics]]:
    """Give the numbers that a speaker has, with the recordings drawn; more include those of fewer."""
    for draw in range(DRAWS):
        order = numpy_stream(corpus.evaluation.seed, "enrolled", recording, str(draw)).permutation(
            len(others)
        )
        for number in NUMBERS:
            if number <= len(others) and (number or not draw):
                chosen = [others[place] for place in order[:number]]
                yield Case(str(number), draw), SpeakerStatistics.merged(chosen, scaler.features)
