"""Recordings of a corpus -> jobs of a stage: which unit each needs, and where its medium lies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.corpora.recording import Recording
from pipeline.features.extraction.engine import Job
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.store.tables import FeatureTable
from pipeline.store.units import unit_key


def media_jobs(
    modality: str, recordings: Iterable[Recording], corpus: Corpus, fingerprint: Mapping[str, Any]
) -> list[Job]:
    """Return a job for each recording that has a medium of a modality; none if that is not extracted.

    modality: audio or video. fingerprint: what the stage's units depend on besides the medium.
    """
    jobs = []
    for recording in recordings if modality in corpus.extract else ():
        medium, sha256 = recording.medium(modality), recording.sha256(modality)
        if medium is not None:
            key = unit_key(media=sha256, **fingerprint)
            jobs.append(Job(recording.recording, key, corpus.root / medium, seen=bool(sha256)))
    return jobs


def table_jobs(
    name: str,
    table: FeatureTable,
    media: Mapping[str, Location | None],
    root: Location,
    fingerprint: Mapping[str, Any],
) -> list[Job]:
    """Return a job for each recording of the table that a stage reads.

    name: of the part of the key that names the rows read (detections, frames). media: recording -> its
    medium, as far as it has one; without, the job is named after the recording. root: of the corpus.
    """
    return [
        Job(
            recording,
            unit_key(**{name: table.key(recording)}, **fingerprint),
            root / (media.get(recording) or recording),
            table.place(recording),
        )
        for recording in table.recordings
    ]
