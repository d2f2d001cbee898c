"""Manifest and media of a corpus -> its table of face detections."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.recording import Recording
from pipeline.features.extraction.engine import Job, Stage, build_table
from pipeline.features.extraction.jobs import media_jobs
from pipeline.features.faces import detection as faces
from pipeline.features.media.damage import require_whole
from pipeline.params import Corpus, Faces
from pipeline.running.workshop import Workshop
from pipeline.store.damage import Damage
from pipeline.store.rows import Rows


def detect_faces(
    corpus: Corpus,
    recordings: Sequence[Recording],
    directory: Path,
    shop: Workshop,
) -> None:
    """Detect one tracked face per tick in every recording that has a video, into `directory`.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, or their media are not on this machine.
        StoreError: the store cannot be written.
        ValueError: there is something to compute on a GPU, and there is none.
    """
    parameters = corpus.video.faces
    fingerprint = faces.fingerprint(parameters)
    jobs = media_jobs("video", recordings, corpus, fingerprint)
    build_table(
        Stage(
            "detect_faces",
            "faces",
            partial(_compute, parameters),
            partial(_check, parameters),
            partial(_check_damage, parameters),
            device=shop.device,
        ),
        jobs,
        directory,
        shop,
        max_failed_share=parameters.max_failed_share,
        about=fingerprint,
    )


def _compute(parameters: Faces, job: Job, device: str) -> Rows:
    return faces.detect(job.path, parameters, device)


def _check(parameters: Faces, job: Job, valid: NDArray[np.bool_]) -> None:
    faces.require_faces(job.path, valid, parameters.min_found_share)


def _check_damage(parameters: Faces, job: Job, damage: Damage) -> None:
    require_whole(job.path, damage, parameters.max_damaged_share, "video.faces.max_damaged_share")
