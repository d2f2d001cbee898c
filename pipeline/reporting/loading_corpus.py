"""Manifest, feature tables and labels of a corpus -> what it holds, counted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.label_sets import matrix_of
from pipeline.corpora.partitions import Fold
from pipeline.corpora.recording import PARTITIONS, Recording
from pipeline.features.faces.taken import Taken, taken, together
from pipeline.features.sources import open_features
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.scoring.class_scores import co_occurrence
from pipeline.store.tables import FeatureTable

NONE, ALL = "none of them", "utterances with labels"
"""Rows of the distribution of several labels that are no classes."""


def count_corpus(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Count recordings, speakers, rows of features and recordings with labels per partition."""
    labelled = set(_gold_standards(paths, corpus, every_fold)["recording"])
    features = {
        modality: open_features(paths, corpus, modality, corpus.dimensions[0])
        for modality in corpus.modalities
    }
    kind = "utterances" if corpus.grid.utterances else "frames"
    table = []
    for partition, here in _by_partition(every_fold).items():
        counts: dict[str, Any] = {"partition": partition, "recordings": len(here)}
        counts["speakers"] = len({item.speaker for item in here})
        counts["with_labels"] = sum(item.recording in labelled for item in here)
        for modality, own in features.items():
            counts[f"{modality}_{kind}"] = sum(own.count(item.recording) for item in here)
        table.append(counts)
    return pd.DataFrame(table)


def count_lessons(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Count what students of a teacher learn from: recordings of train with labels, and without.

    Columns: `target, auxiliary, dimension`; `labelled, labelled_speakers` with features of the target;
    `unlabelled, unlabelled_speakers` without labels and with features of all modalities of the scenario. Of
    the draw of labelled speakers that the result is made of; means over folds. Empty where no system has a
    teacher.
    """
    columns = ["labelled", "labelled_speakers", "unlabelled", "unlabelled_speakers"]
    rows = []
    for scenario, dimension in product(corpus.scenarios, corpus.dimensions):
        if not any(SYSTEMS[name].teacher for name in corpus.learning.systems):
            continue
        sources = [open_features(paths, corpus, name, dimension) for name in scenario.modalities]
        of_folds = []
        for fold in every_fold:
            names = ["recording", "dimension", "label"]
            table = pd.read_parquet(paths.of_fold(fold.name).label_table, columns=names)
            known = set(table[(table["dimension"] == dimension) & table["label"].notna()]["recording"])
            train = [item for item in fold.recordings if item.partition == "train"]
            seen = [item for item in train if item.recording in known and sources[0].count(item.recording)]
            others = [
                item
                for item in train
                if item.recording not in known and all(own.count(item.recording) for own in sources)
            ]
            of_folds.append([count for items in (seen, others) for count in (len(items), _speakers(items))])
        key = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension}
        means = [sum(counts) / len(of_folds) for counts in zip(*of_folds, strict=True)]
        rows.append(key | dict(zip(columns, means, strict=True)))
    return pd.DataFrame(rows, columns=["target", "auxiliary", "dimension", *columns])


def _speakers(items: Sequence[Recording]) -> int:
    """Count speakers; a recording without one counts as one of its own."""
    return len({item.speaker or item.recording for item in items})


def distribution(
    paths: Paths, corpus: Corpus, every_fold: Sequence[Fold], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return what is to be predicted: classes per partition, or moments of the gold standard.

    Classes: `class` and one column of counts per partition (`all` with a cross-validation); where an
    utterance may have several, with a row of those that have none (`NONE`) and one of all (`ALL`).
    Regression: `dimension, partition, labels, mean, std, min, max`.
    """
    labels = _gold_standards(paths, corpus, every_fold)
    partition = {item.recording: name for name, items in _by_partition(every_fold).items() for item in items}
    labels = labels.assign(partition=labels["recording"].map(partition)).dropna(subset=["partition"])
    order = [name for name in _by_partition(every_fold) if (labels["partition"] == name).any()]
    if TASKS[corpus.task].several:
        present = matrix_of(labels["gold_standard"], len(class_names))
        columns = [*present.T, ~present.any(axis=1), np.ones(len(present), bool)]
        rows = [
            {"class": name} | {part: int((own & (labels["partition"] == part)).sum()) for part in order}
            for name, own in zip((*class_names, NONE, ALL), columns, strict=True)
        ]
        return pd.DataFrame(rows, columns=["class", *order])
    if TASKS[corpus.task].classes:
        counts = labels.groupby(["gold_standard", "partition"]).size()
        rows = [
            {"class": name} | {part: int(counts.get((code, part), 0)) for part in order}
            for code, name in enumerate(class_names)
        ]
        return pd.DataFrame(rows, columns=["class", *order])
    moments_of: list[dict[str, Any]] = []
    for dimension in corpus.dimensions:
        for part in order:
            here = labels[(labels["dimension"] == dimension) & (labels["partition"] == part)]["gold_standard"]
            moments = {"mean": here.mean(), "std": here.std(ddof=0), "min": here.min(), "max": here.max()}
            moments_of.append({"dimension": dimension, "partition": part, "labels": len(here)} | moments)
    names = ["dimension", "partition", "labels", "mean", "std", "min", "max"]
    return pd.DataFrame(moments_of, columns=names)


def labels_together(
    paths: Paths, corpus: Corpus, every_fold: Sequence[Fold], class_names: Sequence[str]
) -> pd.DataFrame:
    """Return how many utterances have two labels at once, class by class; empty where each has one class."""
    if not TASKS[corpus.task].several:
        return pd.DataFrame()
    known = _gold_standards(paths, corpus, every_fold)["gold_standard"].to_numpy()
    names = list(class_names)
    return pd.DataFrame(co_occurrence(known, len(names)), index=names, columns=names)


def _gold_standards(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Return `recording, dimension, gold_standard` of all rows that have one, each recording's once.

    Labels that the train of one fold hides are seen where another tests them: then all folds are read.
    """
    hidden = corpus.partitions.labelled_speakers is not None
    parts: list[pd.DataFrame] = []
    known: set[str] = set()
    for fold in every_fold if hidden else every_fold[:1]:
        names = ["recording", "dimension", "gold_standard"]
        table = pd.read_parquet(paths.of_fold(fold.name).label_table, columns=names)
        table = table[table["dimension"].isin(corpus.dimensions) & table["gold_standard"].notna()]
        parts.append(table[~table["recording"].isin(known)])
        known |= set(parts[-1]["recording"])
    return pd.concat(parts, ignore_index=True)


def _by_partition(every_fold: Sequence[Fold]) -> dict[str, list[Recording]]:
    """Return the recordings of each partition; all under `all` where partitions change from fold to fold."""
    recordings = every_fold[0].recordings
    if len(every_fold) > 1:
        return {"all": recordings}
    return {part: [item for item in recordings if item.partition == part] for part in PARTITIONS}


def fold_sizes(every_fold: Sequence[Fold], labelled: Collection[str]) -> pd.DataFrame:
    """Count the speakers, recordings and recordings with labels that each fold tests; empty for one fold."""
    known = set(labelled)
    rows = []
    for fold in every_fold if len(every_fold) > 1 else ():
        tested = [item for item in fold.recordings if item.partition == "test"]
        speakers = {item.speaker for item in tested}
        rows.append((fold.name, len(speakers), len(tested), sum(item.recording in known for item in tested)))
    return pd.DataFrame(rows, columns=["fold", "speakers", "recordings", "labelled"])


def count_faces(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Count frames, faces and persons per partition; empty where video is not extracted.

    Columns: `partition, recordings`, and those of `pipeline.features.faces.taken.Taken`.
    """
    counts: dict[str, list[Taken]] = {}
    if "video" in corpus.extract:
        table = FeatureTable.open(paths.faces)
        parts = _by_partition(every_fold)
        partition = {item.recording: name for name, items in parts.items() for item in items}
        counts = {name: [] for name in parts}
        for recording in table.in_file_order(partition.keys() & set(table.recordings)):
            own = taken(table.read(recording), corpus.video.faces.same_face_overlap)
            counts[partition[recording]].append(own)
    rows = [(name, len(own), *together(own)) for name, own in counts.items()]
    return pd.DataFrame(rows, columns=["partition", "recordings", *Taken._fields])


def label_problems(facts: Mapping[str, Any]) -> pd.DataFrame:
    """Return what is wrong with the times of labels; facts: labels.json."""
    rows = [
        (recording, sentence)
        for by_recording in facts.get("problems", {}).values()
        for recording, sentences in by_recording.items()
        for sentence in sentences
    ]
    # what concerns a recording and no dimension stands in each of them
    return pd.DataFrame(rows, columns=["recording", "reason"]).drop_duplicates(ignore_index=True)


def read_failures(paths: Paths) -> pd.DataFrame:
    """Return the failures of all feature stages, each recording and reason once."""
    columns = ["recording", "stage", "reason"]
    given = sorted(path for path in paths.given.glob("*") if path.is_dir())
    directories = (*paths.extracted_tables, *given)
    table = pd.concat([read_csv(directory / "failures.csv", columns) for directory in directories])
    return table.drop_duplicates().sort_values(columns, ignore_index=True)


def read_csv(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read a table of texts, empty where there is no such file."""
    return (
        pd.read_csv(path, dtype=str, keep_default_na=False)
        if path.is_file()
        else pd.DataFrame(columns=columns)
    )
