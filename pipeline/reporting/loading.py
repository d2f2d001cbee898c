"""Files of a corpus under data/ -> report inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from pipeline.corpora.interface import Problem
from pipeline.corpora.missing import count_missing
from pipeline.corpora.partitions import Fold, shared_speakers
from pipeline.corpora.recording import PARTITIONS, Recording, read_manifest
from pipeline.features.sources import open_features
from pipeline.labels.labelled_folds import read_folds
from pipeline.learning.systems.table import METHOD, REFERENCE, SYSTEMS
from pipeline.params import Corpus, Demo
from pipeline.paths import Paths, experiment_name
from pipeline.reporting.embeddings import load_embeddings
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.folds import read_table
from pipeline.scoring.plot_sources import read_point
from pipeline.scoring.scored_models import class_codes
from pipeline.scoring.selection import Point, place
from pipeline.store.tables import FeatureTable

PACKAGES = (
    "audmetric", "av", "dvc", "facenet-pytorch", "matplotlib", "numpy", "opensmile", "pandas", "pyarrow",
    "scikit-learn", "scipy", "statsmodels", "torch", "torchvision",
)  # fmt: skip
SHOWN = (REFERENCE, METHOD)
"""Before and after: systems whose traces and confusions are drawn."""


def load_report_inputs(paths: Paths, corpus: Corpus) -> ReportInputs:
    """Read everything the report shows from where the stages left it.

    Raises:
        FileNotFoundError: evaluate has not run.
        TableError: a feature table is missing or damaged.
        ValueError: the folds cannot be made.
    """
    registered = read_manifest(paths.manifest)
    every_fold = read_folds(paths, corpus, registered)
    recordings = every_fold[0].recordings
    facts = [json.loads(paths.of_fold(fold.name).label_facts.read_text("utf-8")) for fold in every_fold]
    points = _points(paths, corpus, tuple(SYSTEMS))
    # every fold has its own embedding space: the first is shown
    first = paths.of_fold(every_fold[0].name)
    of_first = {name: next(iter(by_file.values())) for name, by_file in points.items()}
    columns = ["recording", "file", "reason"]
    problems = pd.concat([_csv(folder / "problems.csv", columns) for folder in (paths.traces, paths.given)])
    return ReportInputs(
        name=paths.corpus,
        corpus=corpus,
        rendered=_rendered(paths, corpus),
        **load_tables(paths),
        counts=_counts(paths, corpus, every_fold),
        faces=_faces(paths, corpus, every_fold),
        failures=_failures(paths),
        problems=pd.concat([problems[["recording", "reason"]], _label_problems(facts[0])], ignore_index=True),
        delay=_delay([each["annotation_delay"] for each in facts]),
        class_names=_class_names(corpus, facts[0]),
        curves=load_curves(paths, corpus),
        traces=load_traces(paths, corpus) if corpus.task == "regression" else {},
        confusion=load_confusion(paths, corpus) if corpus.task == "classification" else {},
        embeddings=load_embeddings(first, corpus, of_first, recordings),
        versions=_versions(),
        fold_sizes=_fold_sizes(every_fold, facts[0].get("labelled", ())),
        missing=count_missing([Problem(*row) for row in problems.itertuples(index=False)], registered),
        shared=shared_speakers(registered),
    )


def _rendered(paths: Paths, corpus: Corpus) -> bool:
    """Say whether the media were drawn by `render_demo`, or those of all sources of a mixed corpus."""
    names = [source.corpus for source in corpus.sources.values()] or [paths.corpus]
    return all(name in Demo.model_fields for name in names)


def load_tables(paths: Paths) -> dict[str, pd.DataFrame]:
    """Read what the stage evaluate wrote: `results`, `grid`, `significance`, `fold_results`, `fold_grid`."""
    grid = paths.scores / "grid.csv"
    return {
        "results": read_table(paths.results, "result"),
        "grid": read_table(grid, "result"),
        "significance": read_table(paths.scores / "significance.csv", "result"),
        "fold_results": read_table(paths.results, "folds"),
        "fold_grid": read_table(grid, "folds"),
    }


def load_curves(paths: Paths, corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Read the learning curves of every experiment that has some, with the column `fold`."""
    found = {}
    for name, files in _experiments(corpus).items():
        curves = {fold: paths.models / file / "curves.parquet" for fold, file in files.items()}
        if all(path.is_file() for path in curves.values()):
            found[name] = pd.concat(pd.read_parquet(path).assign(fold=fold) for fold, path in curves.items())
    return found


def load_traces(paths: Paths, corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Read raw and post-processed traces of reference and method, means over seeds, by experiment.

    Both are of the point chosen among post-processed predictions: a raw trace and what became of it. With a
    cross-validation test alone is read, of every fold: on dev each recording would be there again.
    """
    traces = {}
    by = ["partition", "recording", "time"]
    for name, files in _points(paths, corpus).items():
        parts = []
        for file, points in files.items():
            for point in points:
                final = read_point(paths.predictions / f"{file}.parquet", point)
                raw = read_point(paths.raw_predictions / f"{file}.parquet", point)
                if len(files) > 1:
                    final, raw = (rows[rows["partition"] == "test"] for rows in (final, raw))
                part = final.groupby(by, sort=True).agg(
                    gold=("gold", "first"), postprocessed=("prediction", "mean")
                )
                part["raw"] = raw.groupby(by, sort=True)["prediction"].mean()
                parts.append(part.reset_index().assign(system=point.system))
        traces[name] = pd.concat(parts, ignore_index=True)
    return traces


def load_confusion(paths: Paths, corpus: Corpus) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Count true and predicted classes of reference and method over seeds and folds, on test (else dev)."""
    counts: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, files in _points(paths, corpus).items():
        counts[name] = {}
        parts = {
            (point.system, file): read_point(paths.predictions / f"{file}.parquet", point)
            for file, points in files.items()
            for point in points
        }
        parts = {key: rows.dropna(subset=["gold"]) for key, rows in parts.items()}
        partition = "test" if any((rows["partition"] == "test").any() for rows in parts.values()) else "dev"
        for (system, _), rows in parts.items():
            here = rows[rows["partition"] == partition]
            if len(here):
                matrix = confusion_matrix(
                    here["gold"].astype(int), here["prediction"].astype(int), labels=class_codes(here)
                )
                counts[name][system] = counts[name].get(system, 0.0) + matrix.astype(np.float64)
    return counts


def _experiments(corpus: Corpus) -> dict[str, dict[str, str]]:
    """Return experiment -> fold -> name of its files."""
    return {
        experiment_name(scenario.name, dimension): {
            fold: experiment_name(scenario.name, dimension, fold) for fold in corpus.partitions.names
        }
        for scenario in corpus.scenarios
        for dimension in corpus.dimensions
    }


def _points(
    paths: Paths, corpus: Corpus, systems: Sequence[str] = SHOWN
) -> dict[str, dict[str, list[Point]]]:
    """Return experiment -> name of its files, one per fold -> the points chosen for `systems`.

    Of the headline kind of predictions.
    """
    crossed = corpus.partitions.method == "cross_validation"
    grid = read_table(paths.scores / "grid.csv", "folds" if crossed else "result")
    grid = grid[(grid["selected"] == 1) & (grid["postprocessed"] == int(corpus.task == "regression"))]
    points: dict[str, dict[str, list[Point]]] = {
        name: {file: [] for file in files.values()} for name, files in _experiments(corpus).items()
    }
    for row in grid.to_dict("records"):
        name = experiment_name(f"{row['target']}+{row['auxiliary']}", row["dimension"])
        if row["system"] in systems:
            file = experiment_name(name, "", row["fold"])
            points[name][file].append(Point(row["system"], row["setting"]))
    return {
        name: {file: sorted(chosen, key=place) for file, chosen in files.items()}
        for name, files in points.items()
    }


def _counts(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Count recordings, speakers, rows of features and recordings with labels per partition."""
    labels = pd.read_parquet(
        paths.of_fold(every_fold[0].name).label_table, columns=["recording", "gold_standard"]
    )
    labelled = set(labels.dropna(subset=["gold_standard"])["recording"])
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


def _by_partition(every_fold: Sequence[Fold]) -> dict[str, list[Recording]]:
    """Return the recordings of each partition; all under `all` where partitions change from fold to fold."""
    recordings = every_fold[0].recordings
    if len(every_fold) > 1:
        return {"all": recordings}
    return {part: [item for item in recordings if item.partition == part] for part in PARTITIONS}


def _fold_sizes(every_fold: Sequence[Fold], labelled: Collection[str]) -> pd.DataFrame:
    """Count the speakers, recordings and recordings with labels that each fold tests; empty for one fold."""
    known = set(labelled)
    rows = []
    for fold in every_fold if len(every_fold) > 1 else ():
        tested = [item for item in fold.recordings if item.partition == "test"]
        speakers = {item.speaker for item in tested}
        rows.append((fold.name, len(speakers), len(tested), sum(item.recording in known for item in tested)))
    return pd.DataFrame(rows, columns=["fold", "speakers", "recordings", "labelled"])


def _faces(paths: Paths, corpus: Corpus, every_fold: Sequence[Fold]) -> pd.DataFrame:
    """Count frames looked at and frames with a face per partition; empty where video is not extracted."""
    counts: dict[str, list[int]] = {}
    if "video" in corpus.extract:
        table = FeatureTable.open(paths.faces)
        parts = _by_partition(every_fold)
        partition = {item.recording: name for name, items in parts.items() for item in items}
        counts = {name: [0, 0] for name in parts}
        for recording in table.in_file_order(partition.keys() & set(table.recordings)):
            valid = table.read(recording).valid
            counts[partition[recording]][0] += len(valid)
            counts[partition[recording]][1] += int(valid.sum())
    return pd.DataFrame(
        [(name, *both) for name, both in counts.items()], columns=["partition", "frames", "found"]
    )


def _delay(by_fold: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the delay; where folds estimated different ones, `seconds` says from which to which."""
    seconds = [each["seconds"] for each in by_fold]
    if len(set(seconds)) == 1:
        return dict(by_fold[0])
    return dict(by_fold[0]) | {"seconds": f"{min(seconds):g} to {max(seconds):g}"}


def _label_problems(facts: Mapping[str, Any]) -> pd.DataFrame:
    """Return what is wrong with the times of labels; facts: labels.json."""
    rows = [
        (recording, sentence)
        for by_recording in facts.get("problems", {}).values()
        for recording, sentences in by_recording.items()
        for sentence in sentences
    ]
    # what concerns a recording and no dimension stands in each of them
    return pd.DataFrame(rows, columns=["recording", "reason"]).drop_duplicates(ignore_index=True)


def _failures(paths: Paths) -> pd.DataFrame:
    """Return the failures of all feature stages, each recording and reason once."""
    columns = ["recording", "stage", "reason"]
    given = sorted(path for path in paths.given.glob("*") if path.is_dir())
    directories = (paths.audio, paths.faces, paths.embeddings, paths.video, *given)
    table = pd.concat([_csv(directory / "failures.csv", columns) for directory in directories])
    return table.drop_duplicates().sort_values(columns, ignore_index=True)


def _csv(path: Path, columns: list[str]) -> pd.DataFrame:
    return (
        pd.read_csv(path, dtype=str, keep_default_na=False)
        if path.is_file()
        else pd.DataFrame(columns=columns)
    )


def _class_names(corpus: Corpus, facts: dict[str, Any]) -> tuple[str, ...]:
    if corpus.task == "classification":
        return tuple(facts["classes"])
    count = 1 + max((len(values) for values in facts["thresholds"].values()), default=1)
    return {2: ("low", "high"), 3: ("low", "middle", "high")}.get(
        count, tuple(str(k + 1) for k in range(count))
    )


def _versions() -> dict[str, str]:
    versions = {"python": sys.version.split()[0]}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
