"""Features of a registered corpus as a recogniser of another corpus needs them; nothing is computed twice.

A table of the corpus whose units have the very keys that the recogniser's extractors give is read as it is.
Otherwise extraction runs with the recogniser's parameters: through the store, so what was made once is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.recording import Recording
from pipeline.cross.gold import NothingCommonError
from pipeline.features.extraction.engine import extract
from pipeline.features.extraction.jobs import Stage, media_jobs, table_jobs
from pipeline.features.extractor import extractor_of
from pipeline.features.sources import Features
from pipeline.params import Corpus, modality_of
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store.tables import FeatureTable

CHAINS = {
    "audio": (("extract_audio", "audio"),),
    "text": (("extract_text", "text"),),
    "video": (("detect_faces", "faces"), ("embed_faces", "embeddings"), ("pool_video", "video")),
}
"""Modality -> the stages that make its features, and the kinds of their units."""
ALL_MAY_FAIL = 1.0
"""Recordings that cannot be used are left out and named; it is no corpus that is being made."""


def features_of(
    modality: str,
    made_with: Corpus,
    dimension: str,
    corpus: Corpus,
    paths: Paths,
    recordings: Sequence[Recording],
    shop: Workshop,
    scratch: Path,
) -> Features:
    """Return the features of a modality of some recordings of a corpus.

    modality: as the recogniser's scenario calls it. made_with: the parameters of the recogniser's corpus.
    dimension: what is predicted. corpus, paths, recordings: those to be predicted. scratch: a folder for
    tables that have to be made, which whoever calls removes.

    Raises:
        NothingCommonError: the corpus has no such modality.
        NotReadyError: an extractor lacks something.
        ExtractionError: media are not on this machine.
        TableError: a table is damaged.
    """
    name = modality_of(modality)
    if name not in made_with.extract:
        return _given(name, dimension, corpus, paths)
    if not any(name in item.media for item in recordings):
        raise NothingCommonError(f"no recording of {paths.corpus} has {name}")
    alike = _with_groups_of(made_with, corpus)
    table: FeatureTable | None = None
    for stage_name, kind in CHAINS[name]:
        stage = Stage(stage_name, kind, extractor_of(stage_name, alike), ALL_MAY_FAIL)
        if table is None:
            jobs = media_jobs(stage.extractor, recordings, alike)
        else:
            jobs = table_jobs(stage.extractor, table, recordings, alike)
        table_here = _table_with(paths.extracted(kind), {job.recording: job.key for job in jobs})
        if table_here is None:
            extract(stage, alike, recordings, scratch / kind, shop, table)
            table_here = FeatureTable.open(scratch / kind)
        table = table_here
    assert table is not None
    return Features(table)


def _table_with(directory: Path, keys: dict[str, str]) -> FeatureTable | None:
    """Return the table that is there if it has all of these units, but for media that failed; else None."""
    if not (directory / "index.json").is_file():
        return None
    table = FeatureTable.open(directory)
    known, failed = table.index["recordings"], {failure.recording for failure in table.failures()}
    expected = {name: key for name, key in keys.items() if name in known or name not in failed}
    alike = all(known.get(name, {}).get("key") == key for name, key in expected.items())
    return table if expected and alike else None


def _with_groups_of(made_with: Corpus, corpus: Corpus) -> Corpus:
    """Return a corpus whose features are made with another's parameters."""
    groups = {name: getattr(made_with, name) for name in ("extract", "grid", "audio", "video", "text")}
    return corpus.model_copy(update=groups)


def _given(name: str, dimension: str, corpus: Corpus, paths: Paths) -> Features:
    """Return the table of features that came with the corpus under the same name."""
    directory = paths.given_table(name, dimension if corpus.features_by_dimension else None)
    if name not in corpus.features or not (directory / "index.json").is_file():
        raise NothingCommonError(
            f"{paths.corpus} has no feature table '{name}', which the recogniser reads and nobody can make "
            "from media"
        )
    return Features(FeatureTable.open(directory))


def remove(scratch: Path) -> None:
    """Remove tables that were made for one evaluation; their units stay in the store."""
    shutil.rmtree(scratch, ignore_errors=True)
