"""Train all systems, settings and seeds of every scenario and dimension."""

from pipeline.corpora.recording import read_manifest
from pipeline.learning.train_corpus import train_corpus
from pipeline.running.device import resolve
from stages.running import Context, run


def train(context: Context) -> None:
    """Write models, learning curves and raw predictions."""
    runtime = context.params.runtime
    recordings = read_manifest(context.paths.manifest)
    train_corpus(context.corpus, context.paths, recordings, context.store, runtime, resolve(runtime.device))


if __name__ == "__main__":
    run(train)
