"""ARFF files, one per recording and dimension (AVEC 2016) -> the feature table of one dimension."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.recording import Recording
from pipeline.features.extraction.jobs import Job
from pipeline.features.extractor import Given
from pipeline.features.imported.arff_rows import read_arff
from pipeline.features.imported.given_rows import on_grid
from pipeline.features.imported.given_units import KIND, GivenFeatures, build, not_here, stage_name
from pipeline.features.imported.table_columns import Choice
from pipeline.params import Corpus
from pipeline.running.errors import one_line
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from pipeline.store.tables import Failure
from pipeline.store.units import unit_key


class ArffFeatures(GivenFeatures):
    """Reads the file of one recording."""

    def extract(self, given: Given, device: str) -> Rows:
        """Return the rows of a file on the grid."""
        rows = read_arff(given.path, self.entry.exclude)
        return on_grid(rows, self.entry.statistics, self.grid, str(given.path))


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
    extractor = ArffFeatures(corpus.features[name], corpus.grid)
    about = extractor.fingerprint()
    of = {file.recording: file for file in files}
    jobs, failed = [], []
    for item in recordings:
        file = of.get(item.recording)
        if file is not None and file.sha256:
            key = unit_key(file=file.sha256, **about)
            jobs.append(Job(item.recording, key, corpus.root / file.file))
        else:  # also if it came since `register` looked: its rows would be kept without its hash
            path = file.file if file else f"{extractor.entry.path}/{dimension}/{item.recording}.arff"
            reason = one_line(f"no file {corpus.root / path}")
            failed.append(Failure(item.recording, stage_name(directory), reason))
    finished = shop.store.keys(KIND)
    absent = [job for job in jobs if job.key not in finished and not job.path.is_file()]
    if absent:
        count = len(jobs) + len(failed)
        raise not_here(directory, f"{len(absent)} of {count} feature files are", absent[0].path)
    choice = Choice.of(corpus, name, corpus.root)
    build(jobs, failed, extractor, choice, about | {"dimension": dimension}, directory, shop)
