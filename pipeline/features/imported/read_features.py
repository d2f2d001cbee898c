"""Feature files that came with a corpus -> one feature table per entry of `features` in params.yaml.

AVEC 2016 has one file per recording and dimension, and so one table per entry and dimension; other
corpora have tables of many recordings. Nothing heavy is imported where there are none.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from pipeline.corpora.feature_files import FeatureFile
from pipeline.corpora.problem_file import PROBLEMS, format_problems
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Recording
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop


def read_features(
    corpus: Corpus,
    recordings: Sequence[Recording],
    files: Sequence[FeatureFile],
    paths: Paths,
    shop: Workshop,
) -> None:
    """Write the tables of all entries below `paths.given`, and `problems.csv` (recording, file, reason).

    files: as registered.

    Raises:
        ClusterError: the cluster cannot be used.
        ExtractionError: of an entry too many recordings failed, its files have no recording of the corpus,
            are not on this machine, or are not what they should be; all entries are tried before.
        StoreError: the store cannot be written.
    """
    wanted: list[tuple[str, str | None]] = [
        (name, dimension)
        for name in corpus.features
        for dimension in (corpus.dimensions if corpus.features_by_dimension else (None,))
    ]
    paths.given.mkdir(parents=True, exist_ok=True)
    names = {paths.given_table(*each).name for each in wanted}
    for path in paths.given.iterdir():
        if path.is_dir() and path.name not in names:
            shutil.rmtree(path)
    problems: list[Problem] = []
    refused: list[str] = []
    if wanted:
        from pipeline.corpora.csd import SUFFIX
        from pipeline.features.extraction.engine import ExtractionError
        from pipeline.features.imported.arff_features import build_arff
        from pipeline.features.imported.csd_features import build_csd
        from pipeline.features.imported.table_columns import FeatureTableError
        from pipeline.features.imported.table_features import build_tables

        for name, dimension in wanted:
            directory = paths.given_table(name, dimension)
            own = [file for file in files if file.features == name and file.dimension == (dimension or "")]
            try:
                if own and all(file.file.endswith(SUFFIX) for file in own):
                    problems += build_csd(corpus, name, recordings, own, directory, shop)
                elif dimension is None:
                    problems += build_tables(corpus, name, recordings, own, directory, shop)
                else:
                    build_arff(corpus, name, dimension, recordings, own, directory, shop)
            except (ExtractionError, FeatureTableError) as error:
                refused.append(str(error))
        if refused:
            raise ExtractionError("\n".join(refused))
    (paths.given / PROBLEMS).write_bytes(format_problems(problems))
