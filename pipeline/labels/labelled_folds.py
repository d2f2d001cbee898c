"""Recordings and what `align_labels` wrote -> the folds, in which recordings with labels are dealt evenly."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.corpora.partitions import Fold, folds
from pipeline.corpora.recording import Recording
from pipeline.params import Corpus
from pipeline.paths import Paths


def read_folds(paths: Paths, corpus: Corpus, recordings: Sequence[Recording]) -> list[Fold]:
    """Return the folds that the labels were made for; of a cross-validation labels.json says who has some.

    Raises:
        FileNotFoundError: align_labels has not run.
        ValueError: the folds cannot be made.
    """
    if corpus.partitions.method != "cross_validation":
        return folds(recordings, corpus.partitions)
    path = paths.of_fold(corpus.partitions.names[0]).label_facts
    labelled = json.loads(path.read_text(encoding="utf-8")).get("labelled")
    return folds(recordings, corpus.partitions, labelled)
