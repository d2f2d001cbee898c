"""Manifest and media of a corpus -> its table of face detections."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipeline.corpora.recording import Recording
from pipeline.features import faces
from pipeline.features.rows import Rows
from pipeline.features.store import UnitStore, unit_key
from pipeline.features.units import Job, Stage, build_table
from pipeline.params import Corpus, Faces


def detect_faces(
    corpus: Corpus,
    recordings: Sequence[Recording],
    directory: Path,
    store: UnitStore,
    workers: int,
    device: str,
    scheduler: str | None = None,
) -> None:
    """Detect one tracked face per tick in every recording that has a video, into `directory`.

    device: `cpu` or `cuda`. workers, scheduler: as in `run_tasks`.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, or their media are not on this machine.
        StoreError: the store cannot be written.
    """
    parameters = corpus.video.faces
    fingerprint = faces.fingerprint(parameters)
    jobs = [
        Job(
            recording.recording,
            unit_key(media=recording.video_sha256, **fingerprint),
            corpus.root / recording.video,
            seen=bool(recording.video_sha256),
        )
        for recording in recordings
        if recording.video is not None
    ]
    build_table(
        Stage("detect_faces", "faces", partial(_compute, parameters, device), partial(_check, parameters)),
        jobs,
        directory,
        store=store,
        workers=workers,
        scheduler=scheduler,
        max_failed_share=parameters.max_failed_share,
        about=fingerprint,
    )


def _compute(parameters: Faces, device: str, job: Job) -> Rows:
    return faces.detect(job.path, parameters, device)


def _check(parameters: Faces, job: Job, rows: Rows) -> None:
    faces.require_faces(job.path, rows, parameters.min_found_share)
