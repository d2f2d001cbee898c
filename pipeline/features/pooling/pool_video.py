"""Face embeddings of a corpus -> its table of pooled rows per window or utterance."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from pipeline.features.extraction.engine import Job, Stage, build_table
from pipeline.features.extraction.jobs import table_jobs
from pipeline.features.media.opening import MediaError
from pipeline.features.pooling import pooling
from pipeline.params import Corpus, Grid, Pooling
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from pipeline.store.tables import FeatureTable


def pool_video(corpus: Corpus, frames: FeatureTable, directory: Path, shop: Workshop) -> None:
    """Pool the frame vectors of every recording in `frames`, into `directory`.

    One process: pooling takes milliseconds, less than handing the rows to another one.

    Raises:
        ExtractionError: too many recordings are shorter than a window.
        StoreError: the store cannot be written.
    """
    fingerprint = pooling.fingerprint(corpus.video.pooling, corpus.grid)
    jobs = table_jobs("frames", frames, {}, Path(), fingerprint)
    build_table(
        Stage(
            "pool_video",
            "video",
            partial(_compute, corpus.video.pooling, corpus.grid),
            needs_media=False,
            decodes=False,
        ),
        jobs,
        directory,
        shop.alone(),
        max_failed_share=corpus.video.faces.max_failed_share,
        about=fingerprint,
    )


def _compute(parameters: Pooling, grid: Grid, job: Job) -> Rows:
    if job.source is None:
        raise MediaError(f"{job.recording}: no frame vectors")
    return pooling.pool(job.source.read(), parameters, grid, job.recording)
