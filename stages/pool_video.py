"""Pool frame vectors into windows or utterances."""

from pipeline.features.pooling.pool_video import pool_video as pool
from pipeline.store.tables import FeatureTable
from stages.running import Context, run


def pool_video(context: Context) -> None:
    """Write the video feature table."""
    frames = FeatureTable.open(context.paths.embeddings)
    pool(context.corpus, frames, context.paths.video, context.workshop)


if __name__ == "__main__":
    run(pool_video)
