"""Turn traces into the gold standard, shifted labels and triplet classes."""

from pipeline.features.tables import FeatureTable
from pipeline.labels.align import align
from pipeline.params import MODALITIES
from stages.running import Context, run


def align_labels(context: Context) -> None:
    """Write the labels; the features are read only to estimate the annotation delay."""
    tables = {}
    if context.corpus.labels.annotation_delay == "estimate":
        tables = {modality: FeatureTable.open(context.layout.features(modality)) for modality in MODALITIES}
    align(context.corpus, context.layout, tables)


if __name__ == "__main__":
    run(align_labels)
