"""results.csv -> the few scores that a run ends with and that `dvc metrics` shows.

Read row by row: whoever prints them waits for no library that computes.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.catalogue.systems import SYSTEMS
from pipeline.catalogue.tasks import TASKS

HEADLINE: Mapping[str, str] = {task.name: task.headline for task in TASKS.values()}
"""The score by which a task selects and compares systems."""


COUNTS = ("seeds", "n", "folds")


class Score(NamedTuple):
    """The score of one system in one experiment: mean and standard deviation over seeds, rows scored.

    NaN where there is no gold standard, or for the deviation one seed.
    """

    mean: float
    std: float
    seeds: int
    n: int
    folds: int


class Headline(NamedTuple):
    """The scores of all systems.

    partition: test, or dev where test has no gold standard. scores: (target, auxiliary, dimension) -> system
    -> score.
    """

    metric: str
    partition: str
    scores: dict[tuple[str, str, str], dict[str, Score]]


def headline(path: Path, task: str) -> Headline:
    """Read the headline scores of a corpus: of traces after post-processing, over folds if there are some.

    Of dev those at settings that other units of dev chose.

    path: results.csv. task: a name of `pipeline.catalogue.tasks`.

    Raises:
        FileNotFoundError: the pipeline has not run for this corpus.
    """
    metric, postprocessed = HEADLINE[task], str(int(TASKS[task].finished))
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; `dvc repro` makes it")
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            row
            for row in csv.DictReader(file)
            if row["metric"] == metric and row["postprocessed"] == postprocessed and not row["fold"]
        ]
    partition = "test" if any(row["partition"] == "test" and float(row["n"]) for row in rows) else "dev"
    left_out = [row for row in rows if row["selection"] == "leave_one_out"]
    if partition == "dev" and left_out:
        rows = left_out
    else:
        rows = [row for row in rows if row["selection"] != "leave_one_out"]
    scores: dict[tuple[str, str, str], dict[str, Score]] = {}
    for row in rows:
        if row["partition"] == partition:
            score = Score(
                _number(row["mean"]), _number(row["std"]), *(int(float(row[name])) for name in COUNTS)
            )
            scores.setdefault((row["target"], row["auxiliary"], row["dimension"]), {})[row["system"]] = score
    return Headline(metric, partition, scores)


def metrics(found: Headline) -> dict[str, Any]:
    """Return what `dvc metrics` shows: scenario -> dimension -> mean of each system, and n.

    n: of the systems that need the target alone, which predict all that has gold standard; those that need
    all modalities may predict less, and stand alone only where no other is trained. A mean is null where
    there is no gold standard. All else is in results.csv: a column of `dvc metrics show`
    and `dvc exp show` is a number here.
    """
    nested: dict[str, Any] = {"score": f"{found.metric} on {found.partition}"}
    for (target, auxiliary, dimension), systems in found.scores.items():
        means = {name: round(score.mean, 6) if score.n else None for name, score in systems.items()}
        alone = [score.n for name, score in systems.items() if SYSTEMS[name].needs == "target"]
        rows = max(alone or [score.n for score in systems.values()])
        nested.setdefault(f"{target}+{auxiliary}", {})[dimension] = means | {"n": rows}
    return nested


def _number(cell: str) -> float:
    return float(cell) if cell else float("nan")
