"""One file outside of any corpus -> the rows that the stages of a corpus would make of it.

The extractors are those that the corpus chooses, one after the other, with the limits that they put on one
recording; what share of a corpus may fail (`max_failed_share`) says nothing here.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.features.extractor import Extractor, Given, extractor_of
from pipeline.params import Corpus, modality_of
from pipeline.recogniser.error import RecogniserError
from pipeline.store.rows import Rows

CHAINS = {
    "audio": ("extract_audio",),
    "video": ("detect_faces", "embed_faces", "pool_video"),
    "text": ("extract_text",),
}
"""Modality -> the stages between a file and its rows, in order."""


def stages_of(corpus: Corpus, modality: str) -> tuple[str, ...]:
    """Return the stages that make the features of a modality from a file; none for tables that were given."""
    name = modality_of(modality)
    return CHAINS[name] if name in corpus.extract else ()


def file_rows(corpus: Corpus, modality: str, path: Path, device: str = "cpu") -> Rows:
    """Return the rows of a modality for one file.

    Raises:
        MediaError: the file cannot be used.
        NotReadyError: an extractor lacks a file.
        RecogniserError: the features are from tables that came with the corpus, which no file has.
    """
    from pipeline.running.parallel import one_thread

    stages = stages_of(corpus, modality)
    if not stages:
        raise RecogniserError(
            f"{path}: the features of {modality} came with the corpus as tables and cannot be made "
            "from a file; give the rows themselves (`predict_rows`)"
        )
    rows: Rows | None = None
    with one_thread():  # as in the stages: sums over more threads round differently
        for stage in stages:
            rows = _made(extractor_of(stage, corpus), path, rows, device)
    assert rows is not None
    return rows


def _made(extractor: Extractor, path: Path, rows: Rows | None, device: str) -> Rows:
    made = extractor.extract(Given(path.name, path, rows), device)
    extractor.check(path, made)
    return made
