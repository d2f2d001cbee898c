"""Everything the report shows, as plain tables: where a number on the page comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.missing import Missing
from pipeline.corpora.partitions import Shared
from pipeline.params import Corpus
from pipeline.reporting.loading_predictions import Units


@dataclass(frozen=True)
class ReportInputs:
    """The inputs of `pipeline.reporting.page.build_report`.

    name: of the corpus. corpus: its parameters. rendered: whether its media were drawn by `render_demo`.

    results: results.csv. grid: scores/grid.csv. significance: scores/significance.csv (columns in
    `pipeline.scoring.evaluation` and `pipeline.scoring.comparison`): the rows of the result, that is over
    folds where there are several. fold_results, fold_grid: the rows of single folds, empty without a
    cross-validation. left_out: the rows of results.csv on dev whose settings other units of dev chose.
    intervals: scores/intervals.csv. groups: scores/groups.csv. label_shares: scores/label_shares.csv,
    empty where there are no draws of labelled speakers. enrolment: scores/enrolment.csv, empty where features
    are not scaled by speaker. fold_sizes: `fold, speakers,
    recordings` of each fold's test.

    counts: one row per partition (with a cross-validation one row, `all`): `partition, recordings, speakers`,
    then any further counts, which become columns of the page under their names. lessons: of each experiment
    how many recordings and speakers taught systems learn from, with and without labels
    (`pipeline.reporting.loading_corpus.count_lessons`). faces: one row per partition, `partition, recordings`
    and counts of faces (`pipeline.features.faces.taken.Taken`). failures: `recording, stage, reason`,
    recordings that a stage could not process. problems: `recording, reason`, what was wrong with the corpus
    as it lies on disk. missing: recordings listed and not on disk, by partition, empty if there are none.
    shared: speakers in several partitions of the corpus as it came, None if unknown.

    delay: `seconds` by which labels were moved, and `estimated`, whether it was searched for. class_names:
    the classes by code (classification) or the triplet classes from low to high (regression).

    curves: experiment -> curves.parquet of the train stage, of each `fold`. traces: experiment -> `partition,
    recording, time, gold, system, raw, postprocessed`, means over seeds (regression); with a
    cross-validation of test only, from every fold. confusion: experiment -> system -> counts summed over
    seeds and folds, (gold, predicted) (classification). embeddings: experiment -> `system, seed, modality,
    partition, recording, speaker, class, e_0 ... e_E-1`, of the first fold. Experiments that are not in a
    mapping have no such figure.

    distribution: `class` and one column of counts per partition, or the moments of the gold standard
    (`pipeline.reporting.loading_corpus.distribution`). together, class_scores: where an utterance may have
    several labels, how many have two at once, and scores/classes.csv. uncertainty: scores/uncertainty.csv.
    certainty: data/certainty/<corpus>/certainty.csv, empty if it is not there. reliability:
    scores/reliability.csv (classification). word_scores: scores/words.csv. exported: experiment
    -> the system that is exported as recogniser; without a cross-validation. units: experiment -> scores of
    speakers and recordings. emotion_trained: modalities whose features come from a network that was trained
    on emotion.

    versions: package -> version. fingerprint: the first digits of results.csv's sha256, to tell whether a
    page belongs to a table. Neither the revision of the code nor a date, machine or run time is on the page,
    since the same inputs are to give the same bytes: dvc.lock, in git, names the page together with its
    inputs.
    """

    name: str
    corpus: Corpus
    rendered: bool
    results: pd.DataFrame
    grid: pd.DataFrame
    significance: pd.DataFrame
    counts: pd.DataFrame
    faces: pd.DataFrame
    failures: pd.DataFrame
    problems: pd.DataFrame
    delay: Mapping[str, Any]
    class_names: tuple[str, ...]
    curves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    traces: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    confusion: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    embeddings: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    fold_results: pd.DataFrame = field(default_factory=pd.DataFrame)
    fold_grid: pd.DataFrame = field(default_factory=pd.DataFrame)
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    intervals: pd.DataFrame = field(default_factory=pd.DataFrame)
    label_shares: pd.DataFrame = field(default_factory=pd.DataFrame)
    enrolment: pd.DataFrame = field(default_factory=pd.DataFrame)
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    lessons: pd.DataFrame = field(default_factory=pd.DataFrame)
    fold_sizes: pd.DataFrame = field(default_factory=pd.DataFrame)
    distribution: pd.DataFrame = field(default_factory=pd.DataFrame)
    together: pd.DataFrame = field(default_factory=pd.DataFrame)
    class_scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    uncertainty: pd.DataFrame = field(default_factory=pd.DataFrame)
    certainty: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    word_scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    exported: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, Units] = field(default_factory=dict)
    emotion_trained: tuple[str, ...] = ()
    fingerprint: str = ""
    missing: Sequence[Missing] = ()
    shared: Shared | None = None

    @property
    def folds(self) -> tuple[str, ...]:
        """Return the names of the folds, none without a cross-validation."""
        return tuple(name for name in self.corpus.partitions.names if name)

    @property
    def metric(self) -> str:
        """Return the headline score of the task."""
        return TASKS[self.corpus.task].headline

    @property
    def postprocessed(self) -> int:
        """Return the headline kind: 1 (post-processed) for traces, 0 for classes, which stay as they are."""
        return int(TASKS[self.corpus.task].finished)

    @property
    def partition(self) -> str:
        """Return the partition that the page reports: test, or dev where test has no gold standard."""
        test = self.results[(self.results["partition"] == "test") & (self.results["metric"] == self.metric)]
        return "test" if (test["n"] > 0).any() else "dev"
