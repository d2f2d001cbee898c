"""Read the feature tables that came with the corpus."""

from pipeline.corpora.feature_files import read_feature_files
from pipeline.corpora.recording import read_manifest
from pipeline.features.imported.read_features import read_features as read
from stages.running import Context, run


def read_features(context: Context) -> None:
    """Write a feature table per entry of `features` (AVEC 2016: and dimension)."""
    paths = context.paths
    recordings, files = read_manifest(paths.manifest), read_feature_files(paths.feature_files)
    read(context.corpus, recordings, files, paths, context.workshop)


if __name__ == "__main__":
    run(read_features)
