"""Turn traces into the gold standard, shifted labels and triplet classes."""

from pipeline.features.sources import open_features
from pipeline.labels.align import align
from stages.running import Context, run


def align_labels(context: Context) -> None:
    """Write the labels; the features are read only to estimate the annotation delay."""
    tables = {}
    if context.corpus.labels.annotation_delay == "estimate":
        # tables that differ by dimension (AVEC 2016) differ in their windows, not in when things happen
        first = context.corpus.dimensions[0]
        tables = {
            name: open_features(context.layout, context.corpus, name, first) for name in context.corpus.inputs
        }
    align(context.corpus, context.layout, tables)


if __name__ == "__main__":
    run(align_labels)
