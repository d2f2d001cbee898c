"""Face detections and media of a corpus -> its table of face embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipeline.corpora.recording import Recording
from pipeline.features.embeddings import embedding as embeddings
from pipeline.features.extraction.engine import Job, Stage, build_table
from pipeline.features.extraction.jobs import table_jobs
from pipeline.features.media.opening import MediaError
from pipeline.params import Corpus, Embedding
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from pipeline.store.tables import FeatureTable


def embed_faces(
    corpus: Corpus,
    recordings: Sequence[Recording],
    detections: FeatureTable,
    directory: Path,
    shop: Workshop,
) -> None:
    """Embed the tracked faces of every recording in `detections`, into `directory`.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, or their media are not on this machine.
        WeightsError: the weight file is missing or wrong.
        StoreError: the store cannot be written.
        ValueError: there is something to compute with torch on a GPU, and there is none.
    """
    parameters = corpus.video.embedding
    fingerprint = embeddings.fingerprint(parameters)
    videos = {recording.recording: recording.medium("video") for recording in recordings}
    jobs = table_jobs("detections", detections, videos, corpus.root, fingerprint)
    build_table(
        Stage(
            "embed_faces",
            "embeddings",
            partial(_compute, _anywhere(parameters), corpus.video.faces.frame_rate_hz),
            needs_media=embeddings.reads_pictures(parameters),
            decodes=embeddings.reads_pictures(parameters),
            device=shop.device if embeddings.needs_device(parameters) else None,
        ),
        jobs,
        directory,
        shop,
        max_failed_share=corpus.video.faces.max_failed_share,
        about=fingerprint,
    )


def _anywhere(parameters: Embedding) -> Embedding:
    """Return the parameters with the path of the weights as another machine can open it."""
    if parameters.weights is None:
        return parameters
    return parameters.model_copy(update={"weights": str(Path(parameters.weights).absolute())})


def _compute(parameters: Embedding, rate_hz: float, job: Job, device: str = "cpu") -> Rows:
    if job.source is None:
        raise MediaError(f"{job.path}: no face detections")
    return embeddings.embed(job.path, job.source.read(), rate_hz, parameters, device)
