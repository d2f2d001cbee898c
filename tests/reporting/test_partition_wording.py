"""What the page says of hidden labels."""

from __future__ import annotations

from types import SimpleNamespace

from pipeline.reporting.partition_wording import partitions


def test_hidden_labels_are_said_whatever_the_partition(params):
    corpus = params.corpus("demo_clips")
    assert partitions(SimpleNamespace(folds=(), corpus=corpus, shared=None)) == ""
    own = corpus.partitions.model_copy(update={"labelled_speakers": 4, "label_draws": 5, "label_seed": 2})
    hidden = corpus.model_copy(update={"partitions": own})
    sentence = (
        "Labels of all but 4 speakers of train are hidden from everything that learns; the result is of the "
        "first draw of 5 (seed 2)."
    )
    assert partitions(SimpleNamespace(folds=(), corpus=hidden, shared=None)) == sentence
    folds = SimpleNamespace(folds=("fold1", "fold2", "fold3"), corpus=hidden, shared=None, fold_sizes={})
    assert partitions(folds).startswith("Cross-validation: 3 folds by speaker")
    assert partitions(folds).endswith(sentence)
