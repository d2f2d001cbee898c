"""ARFF files, one per recording and dimension (AVEC 2016) -> the feature table of one dimension."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.recording import Recording
from pipeline.features.extraction.engine import Job
from pipeline.features.imported.arff_rows import read_arff
from pipeline.features.imported.given_rows import on_grid
from pipeline.features.imported.given_units import KIND, build, fingerprint, not_here
from pipeline.features.imported.table_columns import Choice
from pipeline.features.media.opening import MediaError
from pipeline.params import Corpus, FeatureFiles, Grid
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from pipeline.store.units import unit_key


def build_arff(
    corpus: Corpus,
    name: str,
    dimension: str,
    recordings: Sequence[Recording],
    files: Sequence[FeatureFile],
    directory: Path,
    shop: Workshop,
) -> None:
    """Write the table of one entry and dimension; a recording without a file is a failure.

    files: of this entry and dimension.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: too many recordings failed, recordings have different features, or files are not
            on this machine.
        StoreError: the store cannot be written.
    """
    entry = corpus.features[name]
    about = fingerprint(entry, corpus.grid)
    of = {file.recording: file for file in files}
    jobs = []
    for item in recordings:
        file = of.get(item.recording)
        path = file.file if file else f"{entry.path}/{dimension}/{item.recording}.arff"
        sha256 = file.sha256 if file else ""
        jobs.append(
            Job(item.recording, unit_key(file=sha256, **about), corpus.root / path, seen=bool(sha256))
        )
    finished = shop.store.keys(KIND)
    absent = [job for job in jobs if job.seen and job.key not in finished and not job.path.is_file()]
    if absent:
        raise not_here(directory, f"{len(absent)} of {len(jobs)} feature files are", absent[0].path)
    compute = partial(_compute, entry, corpus.grid)
    choice = Choice.of(corpus, name, corpus.root)
    about |= {"dimension": dimension}
    build(jobs, compute, entry, choice, about, directory, shop)


def _compute(entry: FeatureFiles, grid: Grid, job: Job) -> Rows:
    if not job.seen:  # also if it came since `register` looked: its rows would be kept without its hash
        raise MediaError(f"no file {job.path}")
    return on_grid(read_arff(job.path, entry.exclude), entry.statistics, grid, str(job.path))
