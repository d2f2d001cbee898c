"""Turn each detected face into a vector."""

from pipeline.corpora.recording import read_manifest
from pipeline.features.embeddings.embed_faces import embed_faces as embed
from pipeline.store.tables import FeatureTable
from stages.running import Context, run


def embed_faces(context: Context) -> None:
    """Write the table of face embeddings."""
    paths = context.paths
    recordings, faces = read_manifest(paths.manifest), FeatureTable.open(paths.faces)
    embed(context.corpus, recordings, faces, paths.embeddings, context.workshop)


if __name__ == "__main__":
    run(embed_faces)
