"""csv or Parquet tables of many recordings -> one feature table, each recording a unit of the store.

A table is read once, from its first row to its last. Which recordings it holds is a unit as well, and stands
in the index of the feature table (`contents`), so that a colleague without the file knows it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.features.extraction.engine import ExtractionError
from pipeline.features.extraction.jobs import Job
from pipeline.features.extractor import Given
from pipeline.features.imported.contents import Contents, Refusal, packed, plain, unpacked
from pipeline.features.imported.given_rows import on_grid
from pipeline.features.imported.given_units import KIND, GivenFeatures, build, not_here, stage_name
from pipeline.features.imported.table_columns import Choice, FeatureTableError
from pipeline.features.imported.table_rows import TableRows, open_table
from pipeline.features.imported.table_times import medium_length
from pipeline.features.media.opening import MediaError
from pipeline.params import Corpus, FeatureFiles
from pipeline.running.errors import one_line
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows, to_bytes
from pipeline.store.tables import Failure
from pipeline.store.units import UnitStore, unit_key

UNKNOWN = "rows of a recording that the corpus does not have: left out"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TableFeatures(GivenFeatures):
    """Reads one recording out of a table of many: its unit was damaged since the table was read."""

    choice: Choice

    def extract(self, given: Given, device: str) -> Rows:
        """Return the rows of a recording on the grid."""
        if not given.path.is_file():
            raise MediaError(f"{given.path}: no such file")
        for name, rows in open_table(given.path, self.choice).recordings():
            if name == given.recording:
                where = f"{given.path}: {given.recording}"
                return on_grid(rows(), self.entry.statistics, self.grid, where)
        raise MediaError(f"{given.path}: no rows of {given.recording}")


def build_tables(
    corpus: Corpus,
    name: str,
    recordings: Sequence[Recording],
    files: Sequence[FeatureFile],
    directory: Path,
    shop: Workshop,
) -> list[Problem]:
    """Write the table of one entry; a recording without rows is a failure.

    files: of this entry. Returns a problem for each recording that the files have and the corpus does not.

    Raises:
        ExtractionError: too many recordings failed, none of the files' is in the corpus, one is in two
            files, recordings have different features, or a file is not on this machine.
        FeatureTableError: a file is not such a table.
        StoreError: the store cannot be written.
    """
    entry, known = corpus.features[name], {item.recording: item for item in recordings}
    choice = Choice.of(corpus, name, corpus.root)
    extractor = TableFeatures(entry, corpus.grid, choice)
    about = extractor.fingerprint()
    contents: dict[str, dict[str, Any]] = {}
    of: dict[str, FeatureFile] = {}
    reasons = dict.fromkeys(known, f"no rows of it in {corpus.root / entry.path}")
    problems = []
    store = shop.store
    finished = store.keys(KIND)
    for file in files:
        found = _contents(file, corpus, entry, about, known, directory, store, finished)
        contents[unit_key(contents=file.sha256, **about)] = plain(found)
        for recording, refusal in found.items():
            if recording in of:
                raise ExtractionError(
                    f"{stage_name(directory)}: rows of recording '{recording}' are in {of[recording].file} "
                    f"and in {file.file}, expected in one file"
                )
            of[recording] = file
            if recording not in known:
                problems.append(Problem(recording, file.file, UNKNOWN))
            elif refusal is not None:
                reasons[recording] = refusal.reason
            else:
                del reasons[recording]
    if not of.keys() & known:
        raise ExtractionError(
            f"{stage_name(directory)}: none of the {len(of)} recordings in {corpus.root / entry.path} "
            f"({_examples(of)}) is in the corpus ({_examples(known)}); expected the same names"
        )
    if problems:
        logger.warning(
            "%s: rows of %d recordings are left out, since the corpus does not have them: %s",
            stage_name(directory),
            len(problems),
            _examples(item.recording for item in problems),
        )
    jobs = [
        Job(item, _key(of[item], item, about), corpus.root / of[item].file)
        for item in sorted(known)
        if item not in reasons
    ]
    name_of_stage = stage_name(directory)
    failed = [Failure(item, name_of_stage, one_line(reason)) for item, reason in reasons.items()]
    build(jobs, failed, extractor, choice, about | {"contents": contents}, directory, shop.alone())
    return problems


def _key(file: FeatureFile, recording: str, about: dict[str, Any]) -> str:
    return unit_key(file=file.sha256, recording=recording, **about)


def _contents(
    file: FeatureFile,
    corpus: Corpus,
    entry: FeatureFiles,
    about: dict[str, Any],
    known: Mapping[str, Recording],
    directory: Path,
    store: UnitStore,
    finished: Set[str],
) -> Contents:
    """Return the recordings of a file; those that the corpus does not have are never refused.

    The file is read, and units are made of its recordings, unless that was done before. What was refused for
    its times is looked at again where the file is here, since the medium may be another now.
    """
    key = unit_key(contents=file.sha256, **about)
    payload = store.get(KIND, key) if file.sha256 else None
    if payload is not None:
        found: Contents = unpacked(payload)
        wanted = [name for name, refusal in found.items() if name in known and refusal is None]
        doubtful = any(refusal is not None and refusal.by_medium for refusal in found.values())
        doubtful = doubtful and (corpus.root / file.file).is_file()
        if not doubtful and all(_key(file, name, about) in finished for name in wanted):
            return {name: refusal if name in known else None for name, refusal in found.items()}
    path = corpus.root / file.file
    if not path.is_file():
        raise not_here(directory, f"{path.name} is", path)
    choice = Choice.of(corpus, file.features, corpus.root, asked=True)
    found = _read(open_table(path, choice), file, corpus, entry, about, known, store, finished)
    store.put(KIND, key, packed(found))
    return found


def _read(
    table: TableRows,
    file: FeatureFile,
    corpus: Corpus,
    entry: FeatureFiles,
    about: dict[str, Any],
    known: Mapping[str, Recording],
    store: UnitStore,
    finished: Set[str],
) -> Contents:
    """Make a unit of each known recording; returns all recordings, as `_contents` does."""
    grid = corpus.grid
    if not grid.utterances and not table.columns.times:
        raise FeatureTableError(
            f"{table.path}: found no times, expected the column time, or start and end (seconds), since "
            f"grid.hop is {grid.hop} s"
        )
    found: dict[str, Refusal | None] = {}
    for recording, rows in tracked(table.recordings(), f"read {table.path.name}", "recordings"):
        found[recording] = None
        key = _key(file, recording, about)
        if recording in known and key not in finished:
            try:
                given = rows()
                length = None
                if not grid.utterances:
                    length = medium_length(known[recording], corpus, float(given.end[-1]))
                own = on_grid(given, entry.statistics, grid, f"{table.path}: {recording}", length)
                store.put(KIND, key, to_bytes(own))
            except MediaError as error:
                found[recording] = Refusal.of(error)
    return found


def _examples(names: Iterable[str], most: int = 3) -> str:
    names = sorted(names)
    shown = ", ".join(names[:most]) or "no rows"
    return f"{shown}, ..." if len(names) > most else shown
