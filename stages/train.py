"""Train all systems, settings and seeds of every scenario and dimension."""

from pipeline.corpora.recording import read_manifest
from pipeline.learning.train_corpus import train_corpus
from stages.running import Context, run


def train(context: Context) -> None:
    """Write models, learning curves and raw predictions."""
    recordings = read_manifest(context.paths.manifest)
    at_once = context.params.runtime.models_at_once
    train_corpus(context.corpus, context.paths, recordings, context.workshop, at_once)


if __name__ == "__main__":
    run(train)
