"""Computational sequences of the CMU SDK (`.csd`) -> one feature table, each segment a unit of the store.

A segment has the rows of the entry `<video>[<index>]` where the SDK aligned the file to sentences, else those
of its video whose middle lies within it. Values that are infinite (of COVAREP logarithms of nothing) count as
0, as whoever uses these features has it, and are counted.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.csd import Csd, CsdError, opened
from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.layouts.mosei_files import Segment, labels_file, segments
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.features.extraction.engine import ExtractionError
from pipeline.features.extraction.jobs import Job
from pipeline.features.extractor import Given
from pipeline.features.imported.given_rows import on_grid
from pipeline.features.imported.given_units import KIND, GivenFeatures, build, not_here, stage_name
from pipeline.features.imported.table_columns import Choice
from pipeline.features.media.opening import MediaError
from pipeline.params import Corpus
from pipeline.params.features import FeatureFiles, Grid
from pipeline.running.errors import one_line
from pipeline.running.progress import tracked
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows, to_bytes
from pipeline.store.tables import Failure
from pipeline.store.units import unit_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CsdFeatures(GivenFeatures):
    """Reads one segment: its unit was damaged since the file was read. root: of the corpus."""

    root: Path

    def extract(self, given: Given, device: str) -> Rows:
        """Return the rows of a segment on the grid."""
        own = {one.name: one for one in segments(self.root)}[given.recording]
        try:
            with opened(Path(str(given.path))) as file:
                return on_grid(
                    rows_of(file, own)[0], self.entry.statistics, self.grid, f"{file.path}: {own.name}"
                )
        except CsdError as error:
            raise MediaError(str(error)) from None


def build_csd(
    corpus: Corpus,
    name: str,
    recordings: Sequence[Recording],
    files: Sequence[FeatureFile],
    directory: Path,
    shop: Workshop,
) -> list[Problem]:
    """Write the table of one entry; a segment without rows is a failure.

    files: of this entry. Returns a problem that counts infinite values, if there are some.

    Raises:
        ClusterError: the cluster cannot be used. ExtractionError: there is more than one file, too many
        segments failed, or files are not on this machine. StoreError: the store cannot be written.
    """
    entry, stage = corpus.features[name], stage_name(directory)
    if len(files) != 1:
        raise ExtractionError(f"{stage}: found {len(files)} files, expected one .csd file")
    (file,) = files
    extractor = CsdFeatures(entry, corpus.grid, Path(str(corpus.root)))
    about = extractor.fingerprint()
    root, path = Path(str(corpus.root)), Path(str(corpus.root / file.file))
    if labels_file(root) is None:
        raise not_here(directory, "labels, which say when segments begin and end, are", root)
    known = {item.recording for item in recordings}
    wanted = {own.name: own for own in segments(root) if own.name in known}
    keys = {
        own.name: unit_key(file=file.sha256, recording=own.name, segment=[own.start, own.end], **about)
        for own in wanted.values()
    }
    summary = unit_key(contents=file.sha256, segments=sorted(keys.values()), **about)
    payload = shop.store.get(KIND, summary) if file.sha256 else None
    finished = shop.store.keys(KIND)
    said: dict[str, Any] = json.loads(payload) if payload is not None else {}
    if not said or any(keys[one] not in finished for one in wanted if one not in said["failed"]):
        if not path.is_file():
            raise not_here(directory, f"{path.name} is", path)
        try:
            said = read_segments(
                path,
                entry,
                corpus.grid,
                wanted,
                lambda one, rows: shop.store.put(KIND, keys[one], to_bytes(rows)),
            )
        except CsdError as error:
            raise ExtractionError(str(error)) from None
        shop.store.put(KIND, summary, json.dumps(said).encode())
    reasons: dict[str, str] = {one: f"no labels of it in {root}" for one in known - wanted.keys()} | said[
        "failed"
    ]
    failed = [Failure(one, stage, one_line(reason)) for one, reason in sorted(reasons.items())]
    jobs = [Job(one, keys[one], path) for one in sorted(wanted) if one not in said["failed"]]
    choice = Choice.of(corpus, name, corpus.root)
    build(jobs, failed, extractor, choice, about | {"file": file.sha256}, directory, shop.alone())
    sentence = infinite_sentence(said)
    if not sentence:
        return []
    logger.warning("%s: %s: %s", stage, file.file, sentence)
    return [Problem("", file.file, sentence)]


def rows_of(file: Csd, own: Segment) -> tuple[Rows, int]:
    """Return the rows of a segment, times from its beginning, and how many of their values were infinite.

    Raises:
        CsdError: the file has no rows of it, or they are no computational sequence.
    """
    if own.name in file:
        found = file.read(own.name)
        features, intervals = found.features, found.intervals
    elif own.video in file:
        found = file.read(own.video)
        middle = found.intervals.mean(axis=1)
        inside = (middle >= own.start) & (middle <= own.end)
        features, intervals = found.features[inside], found.intervals[inside]
    else:
        raise CsdError(f"{file.path}: found neither {own.name} nor {own.video}")
    if not len(features):
        raise CsdError(f"{file.path}: {own.video} has no rows from {own.start:g} to {own.end:g} s")
    order = np.argsort(intervals.mean(axis=1), kind="stable")
    values = features[order].astype(np.float32)
    infinite = np.isinf(values)
    values[infinite] = 0.0
    times: NDArray[np.float64] = np.maximum(intervals[order] - own.start, 0.0)
    names = tuple(f"v{place}" for place in range(values.shape[1]))
    known = np.asarray(np.isfinite(values).any(axis=1))
    return Rows(times[:, 0], times[:, 1], values, known, names), int(infinite.sum())


def read_segments(
    path: Path,
    entry: FeatureFiles,
    grid: Grid,
    wanted: Mapping[str, Segment],
    keep: Callable[[str, Rows], None] = lambda name, rows: None,
) -> dict[str, Any]:
    """Lay the rows of each wanted segment on the grid and hand them to `keep`.

    Returns `failed` (segment -> why), and of the others how many `values` they have, how many of these are
    `infinite`, and in how many `segments`.

    Raises:
        CsdError: the file cannot be read.
    """
    failed: dict[str, str] = {}
    infinite = values = touched = 0
    with opened(path) as file:
        for name, own in tracked(wanted.items(), f"read {path.name}", "segments", len(wanted)):
            try:
                rows, count = rows_of(file, own)
                made = on_grid(rows, entry.statistics, grid, f"{path}: {name}")
            except (CsdError, MediaError) as error:
                failed[name] = str(error)
                continue
            keep(name, made)
            infinite, values, touched = infinite + count, values + rows.values.size, touched + (count > 0)
    return {"failed": failed, "infinite": infinite, "values": values, "segments": touched}


def infinite_sentence(said: Mapping[str, Any]) -> str:
    """Return what `read_segments` counted of infinite values in words; empty where there are none."""
    if not said["infinite"]:
        return ""
    return (
        f"{said['infinite']} of {said['values']} values, of {said['segments']} segments, are infinite: they "
        "count as 0"
    )
