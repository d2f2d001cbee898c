"""What the features of training depended on besides the media, stage by stage."""

from __future__ import annotations

from typing import Any

from pipeline.features.sources import open_features
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.recogniser.file_features import stages_of
from pipeline.store.table_index import EMOTION_TRAINED, read_index

GIVEN = "read_features"
"""The stage of tables that came with the corpus."""


def extraction_of(paths: Paths, corpus: Corpus, modality: str, dimension: str) -> dict[str, dict[str, Any]]:
    """Return stage -> what the tables that it wrote say of themselves, for the features of a modality.

    Raises:
        TableError: a table is missing or damaged.
    """
    last = dict(open_features(paths, corpus, modality, dimension).about)
    stages = stages_of(corpus, modality)
    if not stages:
        return {GIVEN: last}
    between = {"detect_faces": paths.faces, "embed_faces": paths.embeddings}
    found = {}
    for stage in stages[:-1]:
        about = read_index(between[stage])["about"]
        found[stage] = {key: value for key, value in about.items() if key != EMOTION_TRAINED}
    return found | {stages[-1]: last}
