"""Files of a corpus under data/ -> report inputs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from pipeline.corpora.recording import PARTITIONS, Recording, read_manifest
from pipeline.features.sources import open_features
from pipeline.features.tables import FeatureTable
from pipeline.layout import Layout, experiment_name
from pipeline.params import Corpus, Demo
from pipeline.reporting.embeddings import load_embeddings
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.plot_sources import read_point
from pipeline.scoring.scored_models import class_codes
from pipeline.scoring.selection import Point

PACKAGES = (
    "audmetric", "av", "dvc", "facenet-pytorch", "matplotlib", "numpy", "opensmile", "pandas", "pyarrow",
    "scikit-learn", "scipy", "statsmodels", "torch", "torchvision",
)  # fmt: skip
SHOWN = ("classic", "emobed")
"""Before and after."""


def load_report_inputs(layout: Layout, corpus: Corpus) -> ReportInputs:
    """Read everything the report shows from where the stages left it.

    Raises:
        FileNotFoundError: evaluate has not run.
        TableError: a feature table is missing or damaged.
    """
    recordings = read_manifest(layout.manifest)
    facts = json.loads(layout.label_facts.read_text(encoding="utf-8"))
    return ReportInputs(
        name=layout.corpus,
        corpus=corpus,
        rendered=layout.corpus in Demo.model_fields,
        **load_tables(layout),
        counts=_counts(layout, corpus, recordings),
        faces=_faces(layout, recordings),
        failures=_failures(layout),
        problems=_csv(layout.traces / "problems.csv", ["recording", "file", "reason"])[
            ["recording", "reason"]
        ],
        delay=facts["annotation_delay"],
        class_names=_class_names(corpus, facts),
        curves=load_curves(layout, corpus),
        traces=load_traces(layout, corpus) if corpus.task == "regression" else {},
        confusion=load_confusion(layout, corpus) if corpus.task == "classification" else {},
        embeddings=load_embeddings(layout, corpus, _points(layout, corpus), recordings),
        versions=_versions(),
    )


def load_tables(layout: Layout) -> dict[str, pd.DataFrame]:
    """Read what the stage evaluate wrote: `results`, `grid`, `significance`."""
    return {
        "results": pd.read_csv(layout.results),
        "grid": pd.read_csv(layout.scores / "grid.csv"),
        "significance": pd.read_csv(layout.scores / "significance.csv"),
    }


def load_curves(layout: Layout, corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Read the learning curves of every experiment that has some."""
    paths = {name: layout.models / name / "curves.parquet" for name in _experiments(corpus)}
    return {name: pd.read_parquet(path) for name, path in paths.items() if path.is_file()}


def load_traces(layout: Layout, corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Read raw and post-processed traces of classic and EmoBed, means over seeds, by experiment.

    Both are of the point chosen among post-processed predictions: a raw trace and what became of it.
    """
    traces = {}
    by = ["partition", "recording", "time"]
    for name, points in _points(layout, corpus).items():
        parts = []
        for point in points:
            final = read_point(layout.predictions / f"{name}.parquet", point).groupby(by, sort=True)
            raw = read_point(layout.raw_predictions / f"{name}.parquet", point).groupby(by, sort=True)
            part = final.agg(gold=("gold", "first"), postprocessed=("prediction", "mean"))
            part["raw"] = raw["prediction"].mean()
            parts.append(part.reset_index().assign(system=point.system))
        traces[name] = pd.concat(parts, ignore_index=True)
    return traces


def load_confusion(layout: Layout, corpus: Corpus) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Count true and predicted classes of classic and EmoBed over all seeds, on test (else on dev)."""
    counts: dict[str, dict[str, NDArray[np.float64]]] = {}
    for name, points in _points(layout, corpus).items():
        counts[name] = {}
        for point in points:
            rows = read_point(layout.predictions / f"{name}.parquet", point).dropna(subset=["gold"])
            partition = "test" if (rows["partition"] == "test").any() else "dev"
            rows, labels = rows[rows["partition"] == partition], class_codes(rows)
            if len(rows):
                matrix = confusion_matrix(
                    rows["gold"].astype(int), rows["prediction"].astype(int), labels=labels
                )
                counts[name][point.system] = matrix.astype(np.float64)
    return counts


def _experiments(corpus: Corpus) -> Iterator[str]:
    for scenario in corpus.scenarios:
        for dimension in corpus.dimensions:
            yield experiment_name(scenario.name, dimension)


def _points(layout: Layout, corpus: Corpus) -> dict[str, list[Point]]:
    """Return the selected points of classic and EmoBed by experiment, of the headline kind of predictions."""
    grid = pd.read_csv(layout.scores / "grid.csv")
    grid = grid[(grid["selected"] == 1) & (grid["postprocessed"] == int(corpus.task == "regression"))]
    points: dict[str, list[Point]] = {name: [] for name in _experiments(corpus)}
    for row in grid.to_dict("records"):
        name = experiment_name(f"{row['target']}+{row['auxiliary']}", row["dimension"])
        if row["system"] in SHOWN:
            points[name].append(Point(row["system"], row["alpha"], row["beta"]))
    return points


def _counts(layout: Layout, corpus: Corpus, recordings: list[Recording]) -> pd.DataFrame:
    """Count recordings, speakers, rows of features and recordings with labels per partition."""
    labels = pd.read_parquet(layout.label_table, columns=["recording", "gold_standard"])
    labelled = set(labels.dropna(subset=["gold_standard"])["recording"])
    features = {
        modality: open_features(layout, corpus, modality, corpus.dimensions[0])
        for modality in corpus.modalities
    }
    kind = "utterances" if corpus.grid.utterances else "frames"
    table = []
    for partition in PARTITIONS:
        here = [item for item in recordings if item.partition == partition]
        counts: dict[str, Any] = {"partition": partition, "recordings": len(here)}
        counts["speakers"] = len({item.speaker for item in here})
        counts["with_labels"] = sum(item.recording in labelled for item in here)
        for modality, own in features.items():
            counts[f"{modality}_{kind}"] = sum(own.count(item.recording) for item in here)
        table.append(counts)
    return pd.DataFrame(table)


def _faces(layout: Layout, recordings: list[Recording]) -> pd.DataFrame:
    """Count frames looked at and frames with a face per partition."""
    table = FeatureTable.open(layout.faces)
    partition = {item.recording: item.partition for item in recordings}
    counts = {name: [0, 0] for name in PARTITIONS}
    for recording in table.in_file_order(partition.keys() & set(table.recordings)):
        valid = table.read(recording).valid
        counts[partition[recording]][0] += len(valid)
        counts[partition[recording]][1] += int(valid.sum())
    return pd.DataFrame(
        [(name, *both) for name, both in counts.items()], columns=["partition", "frames", "found"]
    )


def _failures(layout: Layout) -> pd.DataFrame:
    """Return the failures of all feature stages, each recording and reason once."""
    columns = ["recording", "stage", "reason"]
    directories = (layout.audio, layout.faces, layout.embeddings, layout.video)
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
