"""Recordings of a corpus -> jobs of a stage: which unit each needs, and what its extractor is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

from pipeline.corpora.recording import Medium, Recording
from pipeline.features.extractor import Extractor, Given, NotReadyError, extractor_of
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.store.packing import Place
from pipeline.store.rows import Rows
from pipeline.store.tables import FeatureTable
from pipeline.store.units import unit_key

IN_KEYS = {"faces": "detections", "embeddings": "frames"}
"""What the keys of units call the rows that they were made from, by kind; renamed, all are made anew."""


@dataclass(frozen=True)
class Following:
    """A later stage that reads the same media again, and so is done with the first where both are to be done.

    What it makes are units of that stage, which finds them in the store. kind: of these.
    """

    kind: str
    extractor: Extractor

    @classmethod
    def of(cls, stage: str, kind: str, corpus: Corpus) -> Self | None:
        """Return a corpus' stage; None if its extractor lacks something, of which that stage will tell."""
        extractor = extractor_of(stage, corpus)
        try:
            extractor.fingerprint()
        except NotReadyError:
            return None
        return cls(kind, extractor)

    def key(self, job: Job) -> str:
        """Return the key of its unit of a recording; job: of the first stage."""
        return unit_key(**{IN_KEYS[str(self.extractor.reads.table)]: job.key}, **self.extractor.fingerprint())


@dataclass(frozen=True)
class Stage:
    """What a stage does to each recording.

    name: as in dvc.yaml. kind: of its units. max_failed_share: of the recordings, above which it fails.
    following: a stage that is done with it.
    """

    name: str
    kind: str
    extractor: Extractor
    max_failed_share: float = 0.0
    following: Following | None = None

    @property
    def needs_media(self) -> bool:
        """Say whether it opens media: these must be here, and what decodes them may crash or hang."""
        return self.extractor.reads.medium is not None


class Loaded(NamedTuple):
    """Rows of the table that a stage reads, read already: they travel with their job to another machine."""

    rows: Rows

    def read(self) -> Rows:
        """Return the rows."""
        return self.rows


@dataclass(frozen=True)
class Job:
    """One recording's share of a stage.

    key: the unit's key. path: the medium. source: the recording's rows in the table the stage reads.
    medium: as the manifest has it, for whoever reads a part of a file.
    seen: whether `register` has ever hashed the medium, so that a missing file is one that somebody
    else holds and not a wrong path.
    """

    recording: str
    key: str
    path: Location
    source: Place | Loaded | None = None
    medium: Medium | None = None
    seen: bool = True

    def given(self) -> Given:
        """Return what the extractor is given; the rows are read."""
        rows = None if self.source is None else self.source.read()
        return Given(self.recording, self.path, rows, self.medium)

    def travelling(self) -> Job:
        """Return the job with its rows read, so that another machine can do it."""
        return self if self.source is None else replace(self, source=Loaded(self.source.read()))


def media_jobs(extractor: Extractor, recordings: Iterable[Recording], corpus: Corpus) -> list[Job]:
    """Return a job for each recording that has the medium that is read; none if that is not extracted."""
    modality, about, jobs = str(extractor.reads.medium), extractor.fingerprint(), []
    for recording in recordings if modality in corpus.extract else ():
        medium = recording.media.get(modality)
        if medium is not None:
            key, path = unit_key(media=medium.sha256, **about), corpus.root / medium.path
            jobs.append(Job(recording.recording, key, path, medium=medium, seen=bool(medium.sha256)))
    return jobs


def table_jobs(
    extractor: Extractor, table: FeatureTable, recordings: Iterable[Recording], corpus: Corpus
) -> list[Job]:
    """Return a job for each recording of the table that an extractor reads.

    If it opens media as well, each job has its medium; without, it is named after the recording.
    """
    medium, about = extractor.reads.medium, extractor.fingerprint()
    media = {} if medium is None else {item.recording: item.medium(medium) for item in recordings}
    named = IN_KEYS[str(extractor.reads.table)]
    return [
        Job(
            recording,
            unit_key(**{named: table.key(recording)}, **about),
            Path(recording) if medium is None else corpus.root / (media.get(recording) or recording),
            table.place(recording),
        )
        for recording in table.recordings
    ]
