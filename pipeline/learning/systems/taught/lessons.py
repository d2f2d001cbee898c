"""The data of an experiment -> who teaches what: a teacher's data, and the sequences that it speaks of."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import LeftOutError
from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.taught.teacher import columns_of, networks_of
from pipeline.learning.torch_loop import LoopData
from pipeline.learning.train_sequences import cut
from pipeline.params import Learning
from pipeline.params.systems import TeacherKind

FOLDS = 3
"""Groups of labelled speakers, each taught by a teacher that learned from the others."""


@dataclass(frozen=True)
class Lesson:
    """One teacher's.

    parts: what each of its networks learns from. pools: for each of them the sequences of train that it
    speaks of. student: the same sequences with the features of the target.
    """

    parts: tuple[LoopData, ...]
    pools: tuple[Sequences, ...]
    student: Sequences


def lessons_of(data: ExperimentData, learning: Learning, kind: TeacherKind, system: str) -> list[Lesson]:
    """Return the lesson on recordings without labels and, if wanted, those on recordings with labels.

    Whatever the teacher, the recordings are those that have all modalities.

    Raises:
        LeftOutError: no recording of train that has all modalities is without labels.
        ValueError: lessons out of fold are wanted and one speaker alone has labels.
    """
    train = data.paired.partition("train")
    known = set(data.views["target"].labelled.recordings)
    unlabelled = [i for i, name in enumerate(train.recordings) if name not in known]
    if not unlabelled:
        raise LeftOutError(
            f"{system} is left out: it learns from recordings of train without labels that have all of "
            f"{' and '.join(view.modality for view in data.views.values())}, and there are none "
            "(partitions.labelled_speakers and label_shares hide labels, docs/labels.md)"
        )
    found = [_lesson(data, train.select(unlabelled), learning, kind)]
    if learning.taught.labelled:
        who = [speaker or name for speaker, name in zip(train.speakers, train.recordings, strict=True)]
        places = [i for i, name in enumerate(train.recordings) if name in known]
        speakers = sorted({who[i] for i in places})
        if len(speakers) < 2:
            raise ValueError(
                "learning.taught.labelled: true needs two speakers of train with labels, so that a teacher "
                f"can speak of one that it did not learn from, found {len(speakers)}"
            )
        for group in np.array_split(np.array(speakers, dtype=object), min(FOLDS, len(speakers))):
            held_out = [i for i in places if who[i] in set(group)]
            others = _without(data, {train.recordings[i] for i in held_out}, set(group))
            found.append(_lesson(others, train.select(held_out), learning, kind))
    return found


def _lesson(data: ExperimentData, pool: Sequences, learning: Learning, kind: TeacherKind) -> Lesson:
    sequences = cut(pool, learning, data.hop)
    parts = networks_of(data, learning, kind)
    pools = tuple(_reading(sequences, data, part.order) for part in parts)
    return Lesson(parts, pools, _reading(sequences, data, ("target",)))


def _reading(sequences: Sequences, data: ExperimentData, views: Collection[str]) -> Sequences:
    """Return sequences with the features of some views; of labels nothing is left."""
    return dataclasses.replace(
        sequences,
        features=tuple(columns_of(array, data, list(views)) for array in sequences.features),
        labels=tuple(np.full_like(own, np.nan) for own in sequences.labels),
        classes=tuple(np.full_like(own, -1) for own in sequences.classes),
        gold=tuple(np.full_like(own, np.nan) for own in sequences.gold),
    )


def _without(data: ExperimentData, names: Collection[str], speakers: Collection[str]) -> ExperimentData:
    """Return the data without what is of some speakers of train (or those recordings)."""
    views = {}
    for role, view in data.views.items():
        own = view.sequences
        kept = [
            i
            for i, name in enumerate(own.recordings)
            if not (own.partitions[i] == "train" and (name in names or (own.speakers[i] or name) in speakers))
        ]
        views[role] = dataclasses.replace(view, sequences=own.select(kept))
    return dataclasses.replace(data, views=views)
