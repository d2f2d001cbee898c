"""Turn traces into the gold standard, shifted labels and triplet classes."""

from pipeline.catalogue.tasks import TASKS
from pipeline.features.sources import open_features
from pipeline.labels.align import align
from stages.running import Context, run


def align_labels(context: Context) -> None:
    """Write the labels; features say how long recordings are, and are searched for the annotation delay."""
    corpus = context.corpus
    tables = {}
    if not TASKS[corpus.task].classes:
        # tables that differ by dimension (AVEC 2016) differ in their windows, not in when things happen
        tables = {
            name: open_features(context.paths, corpus, name, corpus.dimensions[0]) for name in corpus.inputs
        }
    align(corpus, context.paths, tables)


if __name__ == "__main__":
    run(align_labels)
