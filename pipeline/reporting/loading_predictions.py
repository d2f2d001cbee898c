"""Curves and predictions of a corpus -> traces, confusions, calibration and scores of units."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from pipeline.catalogue.systems import METHOD, REFERENCE
from pipeline.catalogue.tasks import TASKS
from pipeline.learning.prediction_file import class_codes, score_column
from pipeline.params import Corpus
from pipeline.paths import Paths, experiment_name
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import ccc
from pipeline.scoring.plot_sources import read_point
from pipeline.scoring.selection import Point, place
from pipeline.scoring.set_counts import hamming_accuracy
from pipeline.scoring.set_metrics import set_counts

SHOWN = (REFERENCE, METHOD)
"""Before and after: systems whose traces and confusions are drawn."""


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
    for name, files in selected_points(paths, corpus).items():
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
        if parts:  # neither is trained where other systems are asked for
            traces[name] = pd.concat(parts, ignore_index=True)
    return traces


def load_classified(paths: Paths, corpus: Corpus) -> dict[str, pd.DataFrame]:
    """Read the classified utterances of reference and method on test (dev where test has no gold standard).

    Result: experiment -> `system, seed, recording, gold, prediction, score_0 ... score_C-1`, of every seed
    and fold; rows without gold standard are left out.
    """
    found = {}
    for name, files in selected_points(paths, corpus).items():
        parts = [
            read_point(paths.predictions / f"{file}.parquet", point).dropna(subset=["gold"])
            for file, points in files.items()
            for point in points
        ]
        rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
        if len(rows):
            partition = "test" if (rows["partition"] == "test").any() else "dev"
            found[name] = rows[rows["partition"] == partition].reset_index(drop=True)
    return found


def confusions(classified: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, NDArray[np.float64]]]:
    """Count true and predicted classes, (gold, predicted), over seeds and folds, by experiment and system."""
    return {
        name: {
            str(system): confusion_matrix(
                own["gold"].astype(int), own["prediction"].astype(int), labels=class_codes(own.columns)
            ).astype(np.float64)
            for system, own in rows.groupby("system", sort=False)
        }
        for name, rows in classified.items()
    }


class Units(NamedTuple):
    """Scores of single speakers and recordings of one experiment, means over seeds.

    speakers: `speaker, recordings, n` and a column of scores for each system: the speaker's own CCC, or
    accuracy (of several labels the share of right answers, and no `worst`). worst: the recordings of the
    reported partition from the lowest score upwards, by the method (or the only system): `recording, speaker,
    score`, for classes also `gold, prediction` (codes), and the score is that of the true class.
    """

    speakers: pd.DataFrame
    worst: pd.DataFrame


def load_units(
    paths: Paths, corpus: Corpus, speakers: Mapping[str, str], classified: Mapping[str, pd.DataFrame]
) -> dict[str, Units]:
    """Return scores of speakers and recordings by experiment; speakers: recording -> speaker."""
    found, task = {}, TASKS[corpus.task]
    for name, files in selected_points(paths, corpus).items():
        rows = classified.get(name) if task.classes else _traced(paths, files)
        if rows is None or rows.empty:
            continue
        who = rows["recording"].map(lambda recording: speakers.get(recording) or recording)
        rows = rows.assign(speaker=who)
        if task.several:
            found[name] = Units(_by_speaker(rows, _right_of_sets), pd.DataFrame())
            continue
        score = _right if task.classes else _ccc
        found[name] = Units(_by_speaker(rows, score), _worst(rows, task.classes))
    return found


def _traced(paths: Paths, files: Mapping[str, Sequence[Point]]) -> pd.DataFrame:
    """Return the post-processed traces of the reported partition, all seeds and folds."""
    parts = [
        read_point(paths.predictions / f"{file}.parquet", point).dropna(subset=["gold"])
        for file, points in files.items()
        for point in points
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["partition"])
    partition = "test" if (rows["partition"] == "test").any() else "dev"
    return rows[rows["partition"] == partition]


def _ccc(rows: pd.DataFrame) -> float:
    return ccc(rows["prediction"].to_numpy(), rows["gold"].to_numpy())


def _right(rows: pd.DataFrame) -> float:
    return float((rows["prediction"] == rows["gold"]).mean())


def _right_of_sets(rows: pd.DataFrame) -> float:
    """Return the share of right answers over utterances and classes."""
    counts = set_counts(rows["prediction"], rows["gold"], len(class_codes(rows.columns)))
    return float(hamming_accuracy(counts))


def _by_speaker(rows: pd.DataFrame, score: Callable[[pd.DataFrame], float]) -> pd.DataFrame:
    one_seed = rows[(rows["system"] == rows["system"].iloc[0]) & (rows["seed"] == rows["seed"].iloc[0])]
    table = one_seed.groupby("speaker").agg(recordings=("recording", "nunique"), n=("gold", "size"))
    for system, own in rows.groupby("system", sort=False):
        values = {key: score(part) for key, part in own.groupby(["speaker", "seed"])}
        series = pd.Series(values.values(), pd.MultiIndex.from_tuples(values, names=["speaker", "seed"]))
        table[str(system)] = series.groupby("speaker").agg(lambda each: each.mean(skipna=False))
    return table.reset_index()


def _worst(rows: pd.DataFrame, classes: bool) -> pd.DataFrame:
    systems = set(rows["system"])
    own = rows[rows["system"] == (METHOD if METHOD in systems else rows["system"].iloc[0])]
    if not classes:
        values = {key: _ccc(part) for key, part in own.groupby(["recording", "speaker", "seed"])}
        names = ["recording", "speaker", "seed"]
        series = pd.Series(values.values(), pd.MultiIndex.from_tuples(values, names=names), name="score")
        table = series.groupby(["recording", "speaker"]).mean().reset_index()
        return table.dropna(subset=["score"]).sort_values(["score", "recording"], ignore_index=True)
    scores = own[[score_column(code) for code in class_codes(own.columns)]].to_numpy(np.float64)
    of_gold = scores[np.arange(len(own)), own["gold"].to_numpy(int)]
    table = own.assign(score=of_gold).groupby("recording").agg(
        speaker=("speaker", "first"), gold=("gold", "first"), score=("score", "mean"),
        prediction=("prediction", lambda codes: codes.mode().iloc[0]),
    )  # fmt: skip
    return table.reset_index().sort_values(["score", "recording"], ignore_index=True)


def _experiments(corpus: Corpus) -> dict[str, dict[str, str]]:
    """Return experiment -> fold -> name of its files."""
    return {
        experiment_name(scenario.name, dimension): {
            fold: experiment_name(scenario.name, dimension, fold) for fold in corpus.partitions.names
        }
        for scenario in corpus.scenarios
        for dimension in corpus.dimensions
    }


def selected_points(
    paths: Paths, corpus: Corpus, systems: Sequence[str] = SHOWN
) -> dict[str, dict[str, list[Point]]]:
    """Return experiment -> name of its files, one per fold -> the points chosen for `systems`.

    Of the headline kind of predictions.
    """
    crossed = corpus.partitions.method == "cross_validation"
    grid = read_table(paths.grid_scores, "folds" if crossed else "result")
    grid = grid[(grid["selected"] == 1) & (grid["postprocessed"] == int(TASKS[corpus.task].finished))]
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
