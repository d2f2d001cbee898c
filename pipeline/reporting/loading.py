"""Files of a corpus under data/ -> report inputs."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.missing import count_missing
from pipeline.corpora.partitions import shared_speakers
from pipeline.corpora.problem_file import PROBLEMS, read_problems
from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import read_manifest
from pipeline.features.sources import emotion_trained
from pipeline.labels.labelled_folds import read_folds
from pipeline.params import Corpus, Demo
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.certainty_file import read_certainty
from pipeline.recogniser.choice import choose
from pipeline.reporting.embeddings import load_embeddings
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.loading_corpus import (
    count_corpus,
    count_faces,
    count_lessons,
    distribution,
    fold_sizes,
    label_problems,
    labels_together,
    read_failures,
)
from pipeline.reporting.loading_predictions import (
    confusions,
    load_classified,
    load_curves,
    load_traces,
    load_units,
    selected_points,
)
from pipeline.scoring.folds import read_table
from pipeline.scoring.groups import read_group_scores

PACKAGES = (
    "audmetric", "av", "dvc", "facenet-pytorch", "matplotlib", "numpy", "onnxruntime", "opensmile", "pandas",
    "pyarrow", "scikit-learn", "scipy", "statsmodels", "torch", "torchvision",
)  # fmt: skip


def load_report_inputs(paths: Paths, corpus: Corpus) -> ReportInputs:
    """Read everything the report shows from where the stages left it.

    Raises:
        FileNotFoundError: evaluate has not run.
        TableError: a feature table is missing or damaged.
        ValueError: the folds cannot be made.
    """
    registered, task = read_manifest(paths.manifest), TASKS[corpus.task]
    every_fold = read_folds(paths, corpus, registered)
    recordings = every_fold[0].recordings
    facts = [json.loads(paths.of_fold(fold.name).label_facts.read_text("utf-8")) for fold in every_fold]
    points = selected_points(paths, corpus, tuple(SYSTEMS))
    # every fold has its own embedding space: the first is shown
    first = paths.of_fold(every_fold[0].name)
    of_first = {name: next(iter(by_file.values())) for name, by_file in points.items()}
    classified = load_classified(paths, corpus) if task.classes else {}
    class_names = _class_names(corpus, facts[0])
    one_class = task.classes and not task.several
    problems = [item for folder in (paths.traces, paths.given) for item in read_problems(folder / PROBLEMS)]
    said = pd.DataFrame(problems, columns=list(Problem._fields))[["recording", "reason"]]
    return ReportInputs(
        name=paths.corpus,
        corpus=corpus,
        rendered=_rendered(paths, corpus),
        **load_tables(paths),
        counts=count_corpus(paths, corpus, every_fold),
        lessons=count_lessons(paths, corpus, every_fold),
        faces=count_faces(paths, corpus, every_fold),
        failures=read_failures(paths),
        problems=pd.concat([said, label_problems(facts[0])], ignore_index=True),
        delay=_delay([each["annotation_delay"] for each in facts]),
        class_names=class_names,
        distribution=distribution(paths, corpus, every_fold, class_names),
        together=labels_together(paths, corpus, every_fold, class_names),
        emotion_trained=emotion_trained(paths, corpus),
        curves=load_curves(paths, corpus),
        traces={} if task.classes else load_traces(paths, corpus),
        confusion=confusions(classified) if one_class else {},
        exported=exported_systems(paths, corpus),
        units=load_units(paths, corpus, {item.recording: item.speaker for item in registered}, classified),
        embeddings=load_embeddings(first, corpus, of_first, recordings) if _shares_a_space(corpus) else {},
        versions=_versions(),
        fingerprint=hashlib.sha256(paths.results.read_bytes()).hexdigest()[:12],
        fold_sizes=fold_sizes(every_fold, facts[0].get("labelled", ())),
        missing=count_missing(problems, registered),
        shared=shared_speakers(registered),
    )


def _shares_a_space(corpus: Corpus) -> bool:
    """Say whether encoders are trained together: without an after there is nothing to set a before beside."""
    return any(SYSTEMS[name].encoders == "together" for name in corpus.learning.systems)


def exported_systems(paths: Paths, corpus: Corpus) -> dict[str, str]:
    """Return experiment -> the system that the stage export chooses; none with a cross-validation."""
    if corpus.partitions.method == "cross_validation":
        return {}
    found = {
        experiment_name(scenario.name, dimension): choose(paths, corpus, scenario, dimension, "")
        for scenario, dimension in product(corpus.scenarios, corpus.dimensions)
    }
    return {name: choice.system for name, choice in found.items() if choice is not None}


def _rendered(paths: Paths, corpus: Corpus) -> bool:
    """Say whether the media were drawn by `render_demo`, or those of all sources of a mixed corpus."""
    names = [source.corpus for source in corpus.sources.values()] or [paths.corpus]
    return all(name in Demo.model_fields or _receipt(Paths(name, paths.root)) for name in names)


def _receipt(paths: Paths) -> bool:
    """Say whether `render_demo` left word that it drew the media; of another name, for a demo's root."""
    path = paths.rendered
    return path.is_file() and bool(json.loads(path.read_text(encoding="utf-8"))["rendered"])


def load_tables(paths: Paths) -> dict[str, pd.DataFrame]:
    """Read the tables that the stage evaluate wrote, by their names in `ReportInputs`."""
    grid = paths.grid_scores
    return {
        "results": read_table(paths.results, "result"),
        "grid": read_table(grid, "result"),
        "significance": read_table(paths.scores / "significance.csv", "result"),
        "fold_results": read_table(paths.results, "folds"),
        "fold_grid": read_table(grid, "folds"),
        "left_out": read_table(paths.results, "left_out"),
        "intervals": read_table(paths.scores / "intervals.csv", "result"),
        "label_shares": (
            pd.read_csv(paths.label_shares, dtype={"draw": str})
            if paths.label_shares.is_file()
            else pd.DataFrame()
        ),
        "enrolment": (
            pd.read_csv(paths.enrolment, dtype={"enrolled": str})
            if paths.enrolment.is_file()
            else pd.DataFrame()
        ),
        "class_scores": pd.read_csv(paths.class_scores) if paths.class_scores.is_file() else pd.DataFrame(),
        "word_scores": pd.read_csv(paths.word_scores) if paths.word_scores.is_file() else pd.DataFrame(),
        "groups": read_group_scores(paths.scores / "groups.csv"),
        "uncertainty": read_table(paths.uncertainty, "result"),
        "certainty": read_certainty(paths),
        "reliability": pd.read_csv(paths.reliability) if paths.reliability.is_file() else pd.DataFrame(),
    }


def _delay(by_fold: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the delay; where folds estimated different ones, `seconds` says from which to which."""
    seconds = [each["seconds"] for each in by_fold]
    if len(set(seconds)) == 1:
        return dict(by_fold[0])
    return dict(by_fold[0]) | {"seconds": f"{min(seconds):g} to {max(seconds):g}"}


def _class_names(corpus: Corpus, facts: dict[str, Any]) -> tuple[str, ...]:
    if TASKS[corpus.task].classes:
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
