"""Detect one tracked face per frame."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Following, Stage
from pipeline.features.extractor import extractor_of
from stages.running import Context, run


def detect_faces(context: Context) -> None:
    """Write the table of face detections."""
    corpus, paths = context.corpus, context.paths
    chosen = extractor_of("detect_faces", corpus)
    following = Following.of("embed_faces", "embeddings", corpus)
    stage = Stage("detect_faces", "faces", chosen, corpus.video.faces.max_failed_share, following)
    extract(stage, corpus, read_manifest(paths.manifest), paths.faces, context.workshop)


if __name__ == "__main__":
    run(detect_faces)
