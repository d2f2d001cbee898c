"""Pool frame vectors into windows or utterances."""

from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.store.tables import FeatureTable
from stages.running import Context, run


def pool_video(context: Context) -> None:
    """Write the video feature table."""
    corpus, paths = context.corpus, context.paths
    chosen = extractor_of("pool_video", corpus)
    stage = Stage("pool_video", "video", chosen, corpus.video.faces.max_failed_share)
    frames = FeatureTable.open(paths.embeddings)
    # on this machine: pooling takes milliseconds, less than sending the rows to another one
    extract(stage, corpus, (), paths.video, context.workshop.local(), frames)


if __name__ == "__main__":
    run(pool_video)
