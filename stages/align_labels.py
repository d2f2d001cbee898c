"""Turn traces into the gold standard, shifted labels and triplet classes."""

from pipeline.features.sources import open_inputs
from pipeline.labels.align import align
from stages.running import Context, run


def align_labels(context: Context) -> None:
    """Write the labels; features say how long recordings are, and are searched for the annotation delay."""
    align(context.corpus, context.paths, open_inputs(context.paths, context.corpus))


if __name__ == "__main__":
    run(align_labels)
