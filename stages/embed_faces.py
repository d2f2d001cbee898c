"""Turn each detected face into a vector."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.store.tables import FeatureTable
from stages.running import Context, run


def embed_faces(context: Context) -> None:
    """Write the table of face embeddings."""
    corpus, paths = context.corpus, context.paths
    chosen = extractor_of("embed_faces", corpus)
    stage = Stage("embed_faces", "embeddings", chosen, corpus.video.faces.max_failed_share)
    recordings, faces = read_manifest(paths.manifest), FeatureTable.open(paths.faces)
    extract(stage, corpus, recordings, paths.embeddings, context.workshop, faces)


if __name__ == "__main__":
    run(embed_faces)
