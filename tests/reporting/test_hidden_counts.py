"""What the page counts of labels that some folds hide from their train. Under 1 s."""

from types import SimpleNamespace

import pandas as pd
import pytest

from pipeline.corpora.partitions import Fold
from pipeline.paths import Paths
from pipeline.reporting.loading_corpus import count_corpus, distribution, labels_together


@pytest.mark.parametrize("task", ["classification", "multilabel"])
def test_labels_that_a_fold_hides_are_counted_where_another_tests_them(tmp_path, task):
    names = ["a", "b", "c"]
    people = [SimpleNamespace(recording=name, speaker=name, partition="train") for name in names]
    folds = [Fold(f"fold{k}", people) for k in (1, 2)]
    paths = Paths("own", tmp_path)
    for fold, seen in zip(folds, (["a", "b"], ["b", "c"]), strict=True):
        table = paths.of_fold(fold.name).label_table
        table.parent.mkdir(parents=True, exist_ok=True)
        rows = [
            {"recording": name, "dimension": "emotion", "gold_standard": float(names.index(name) % 2 + 1)}
            for name in seen
        ]
        pd.DataFrame(rows).to_parquet(table)
    corpus = SimpleNamespace(
        task=task, dimensions=("emotion",), modalities=(), grid=SimpleNamespace(utterances=True),
        partitions=SimpleNamespace(labelled_speakers=1),
    )  # fmt: skip
    assert count_corpus(paths, corpus, folds)["with_labels"].tolist() == [3]
    classes = ("no", "joy", "fear")[-2:] if task == "multilabel" else ("no", "joy", "fear")
    counts = distribution(paths, corpus, folds, classes).set_index("class")["all"]
    assert (counts["joy"], counts["fear"]) == (2, 1)
    if task == "multilabel":
        assert labels_together(paths, corpus, folds, classes).to_numpy().tolist() == [[2, 0], [0, 1]]
