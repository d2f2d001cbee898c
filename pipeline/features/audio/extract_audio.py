"""Manifest and media of a corpus -> its table of audio functionals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipeline.corpora.recording import Recording
from pipeline.features.audio import functionals as audio
from pipeline.features.extraction.engine import Job, Stage, build_table
from pipeline.features.extraction.jobs import media_jobs
from pipeline.features.media.damage import require_whole
from pipeline.params import Audio, Corpus, Grid
from pipeline.running.workshop import Workshop
from pipeline.store.damage import Damage
from pipeline.store.rows import Rows


def extract_audio(
    corpus: Corpus,
    recordings: Sequence[Recording],
    directory: Path,
    shop: Workshop,
) -> None:
    """Extract the functionals of every recording that has sound, into `directory`.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, or their media are not on this machine.
        StoreError: the store cannot be written.
    """
    fingerprint = audio.fingerprint(corpus.audio, corpus.grid)
    jobs = media_jobs("audio", recordings, corpus, fingerprint)
    build_table(
        Stage(
            "extract_audio",
            "audio",
            partial(_compute, corpus.audio, corpus.grid),
            check_damage=partial(_check_damage, corpus.audio),
        ),
        jobs,
        directory,
        shop,
        max_failed_share=corpus.audio.max_failed_share,
        about=fingerprint,
    )


def _compute(parameters: Audio, grid: Grid, job: Job) -> Rows:
    return audio.extract(job.path, parameters, grid)


def _check_damage(parameters: Audio, job: Job, damage: Damage) -> None:
    require_whole(job.path, damage, parameters.max_damaged_share, "audio.max_damaged_share")
