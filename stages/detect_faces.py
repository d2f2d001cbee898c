"""Detect one tracked face per frame."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.faces.detect_faces import detect_faces as detect
from stages.running import Context, run


def detect_faces(context: Context) -> None:
    """Write the table of face detections."""
    recordings = read_manifest(context.paths.manifest)
    detect(context.corpus, recordings, context.paths.faces, context.workshop)


if __name__ == "__main__":
    run(detect_faces)
