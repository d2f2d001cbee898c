"""Systems that name classes by their words -> scores of each class, of those never seen above all.

Each class is a question of its own: does a recording carry it? A recording of one class is answered by the
class that is named, one of several labels by each label. Weighted accuracy and the area under the curve of
whoever guesses are .5, whatever is guessed and however rare the class is; F1 has no such figure.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.catalogue.systems import BY_WORDS, SYSTEMS, controls, in_order
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.label_sets import matrix_of
from pipeline.learning.prediction_file import logit_column, score_column
from pipeline.params import Corpus
from pipeline.paths import LEARNED, LOGITS, Paths, experiment_name
from pipeline.scoring.intervals import Interval, Jackknifed, difference_interval, score_interval
from pipeline.scoring.plot_sources import read_points
from pipeline.scoring.set_counts import f1_by_class, f1_weighted_by_class, wacc_by_class
from pipeline.scoring.set_metrics import areas
from pipeline.scoring.uncertainty import Fold

WORD_COLUMNS = (
    "system", "emotion", "learned", "metric", "value", "std", "low", "high", "chance", "confidence", "seeds",
    "n", "present", "unit", "units",
)  # fmt: skip
MEAN = "mean"
"""In the column `emotion`: the mean over the classes that were learned alike."""
AMOUNTS = ("none", "some", "all")
"""How much of a class' recordings was learned from."""
COUNTED: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "wacc": wacc_by_class, "f1_binary": f1_by_class, "f1_weighted_binary": f1_weighted_by_class,
}  # fmt: skip
OWN = "auc_own"
"""Area under the curve of a class' own logit, as the paper has it, whatever is said of the other classes.

Where a recording may have several labels that is `auc`; where it has one, `auc` is of the probability among
all classes, which rises where no other class fits.
"""
CHANCE = {"wacc": 0.5, "auc": 0.5, OWN: 0.5}
GAIN = "_gain"
"""Behind a metric: how much higher it is than that of the control, whose words are random.

A class never seen may be told by fitting no other, whatever its word is: the gain says what the word adds.
"""


class Answers(NamedTuple):
    """What one seed says of recordings, (recordings, classes) each, and whose each is, (recordings,).

    logits: of each class by itself, where a recording has one and `scores` add up to 1; else None.
    """

    gold: NDArray[np.bool_]
    predicted: NDArray[np.bool_]
    scores: NDArray[np.float64]
    units: NDArray[np.str_]
    logits: NDArray[np.float64] | None = None


def word_scores(
    folds: Sequence[Fold],
    scenario: str,
    dimension: str,
    paths: Paths,
    corpus: Corpus,
    speakers: Mapping[str, str],
    unit: str,
) -> list[dict[str, Any]]:
    """Return the rows of scores/words.csv of one experiment, `WORD_COLUMNS`; none without such a system.

    Test alone is scored: dev lacks what was not to be seen. `value`: mean over seeds, `std` over them; low,
    high: of an interval over units and seeds (`pipeline.scoring.intervals`). With a cross-validation the test
    predictions of all folds count together; of a system that is left out in some, those of the others.

    Raises:
        FileNotFoundError: the experiment was not trained here.
    """
    systems = in_order({point.system for fold in folds for point in fold.points} & set(BY_WORDS))
    systems.sort(key=lambda name: SYSTEMS[name].control_of is None)  # controls first, to be compared with
    rows: list[dict[str, Any]] = []
    known: dict[str, list[Answers]] = {}
    for system in systems:
        parts = []
        for fold in folds:
            points = [point for point in fold.points if point.system == system]
            if not points:  # left out there, for lack of anything to learn from or to stop by
                continue
            name = experiment_name(scenario, dimension, fold.name)
            about = json.loads((paths.models / name / LEARNED).read_text(encoding="utf-8"))
            found = pd.concat(list(read_points(fold.final, points).values()))
            found = found[(found["partition"] == "test") & found["gold"].notna()]
            parts.append(_with_logits(found, paths.models / name / LOGITS, system))
        table = pd.concat(parts)
        if table.empty:
            continue
        classes, own = about["classes"], about["systems"][system]
        learned = [
            "none" if name in own["unseen"] else "some" if name in own["rare"] else "all" for name in classes
        ]
        answers = [
            _answers(of_seed, len(classes), TASKS[corpus.task].several, speakers)
            for _, of_seed in table.groupby("seed")
        ]
        known[system] = answers
        scored = scores_of(answers, classes, learned, corpus.evaluation.confidence)
        for control in controls(system):
            if control in known:
                scored += gains_of(answers, known[control], learned, corpus.evaluation.confidence)
        rows += [
            {"system": system, "confidence": corpus.evaluation.confidence, "unit": unit} | row
            for row in scored
        ]
    return rows


def _with_logits(rows: pd.DataFrame, path: Path, system: str) -> pd.DataFrame:
    """Return the rows of a system with its logits beside them; as they are where there are none."""
    if not path.is_file():
        return rows
    logits = pd.read_parquet(path)
    own = logits[logits["system"] == system].drop(columns=["system", "setting"])
    return rows.merge(own, on=["recording", "seed"], how="left", validate="one_to_one")


def _answers(rows: pd.DataFrame, classes: int, several: bool, speakers: Mapping[str, str]) -> Answers:
    gold, predicted = (
        matrix_of(own, classes) if several else own[:, None] == np.arange(classes)
        for own in (rows[name].to_numpy(np.float64) for name in ("gold", "prediction"))
    )
    scores = rows[[score_column(code) for code in range(classes)]].to_numpy(np.float64)
    names = [logit_column(code) for code in range(classes)]
    logits = rows[names].to_numpy(np.float64) if names[0] in rows else None
    units = np.array([speakers.get(name) or name for name in rows["recording"]])
    return Answers(gold, predicted, scores, units, logits)


def scores_of(
    answers: Sequence[Answers], classes: Sequence[str], learned: Sequence[str], confidence: float
) -> list[dict[str, Any]]:
    """Return a row for each class and metric, and one for the mean over classes that were learned alike.

    answers: of each seed, of the same recordings. learned: of each class, one of `AMOUNTS`.
    """
    units = np.unique(answers[0].units)
    values = [_by_unit(own, units) for own in answers]  # of each seed metric -> (1 + units, classes)
    gold = answers[0].gold
    groups = [(name, own, [code]) for code, (name, own) in enumerate(zip(classes, learned, strict=True))]
    groups += [
        (MEAN, how, [code for code, own in enumerate(learned) if own == how and gold[:, code].any()])
        for how in AMOUNTS
        if how in learned
    ]
    rows = []
    for emotion, how, codes in groups:
        for metric in values[0]:
            own = _jackknifed(values, metric, codes)
            found = score_interval(own, confidence, "share")
            row = _row(emotion, how, metric, found, own.whole, len(units), gold[:, codes])
            rows.append(row | {"chance": CHANCE.get(metric, np.nan)})
    return rows


def gains_of(
    answers: Sequence[Answers], control: Sequence[Answers], learned: Sequence[str], confidence: float
) -> list[dict[str, Any]]:
    """Return the gain over the control in the mean over classes never seen; none where all were.

    answers, control: of each seed, of the same recordings.
    """
    gold, units = answers[0].gold, np.unique(answers[0].units)
    codes = [code for code, own in enumerate(learned) if own == "none" and gold[:, code].any()]
    if not codes:
        return []
    both = [[_by_unit(own, units) for own in each] for each in (answers, control)]
    rows = []
    for metric in (name for name in CHANCE if all(name in values[0] for values in both)):
        own, other = (_jackknifed(values, metric, codes) for values in both)
        found = difference_interval(own, other, confidence, "share", paired=len(answers) == len(control))
        row = _row(MEAN, "none", metric + GAIN, found, own.whole, len(units), gold[:, codes])
        rows.append(row | {"std": np.nan, "chance": 0.0})
    return rows


def _jackknifed(
    values: Sequence[Mapping[str, NDArray[np.float64]]], metric: str, codes: Sequence[int]
) -> Jackknifed:
    own = np.stack([each[metric][:, codes].mean(axis=1) for each in values])  # (seeds, 1 + units)
    return Jackknifed(own[:, 0], own[:, 1:])


def _row(
    emotion: str, how: str, metric: str, found: Interval, by_seed: NDArray[np.float64], units: int,
    gold: NDArray[np.bool_],
) -> dict[str, Any]:  # fmt: skip
    return {
        "emotion": emotion,
        "learned": how,
        "metric": metric,
        "value": found.value,
        "std": by_seed.std(ddof=1) if len(by_seed) > 1 else np.nan,
        "low": found.low,
        "high": found.high,
        "seeds": len(by_seed),
        "n": len(gold),
        "present": int(gold.any(axis=1).sum()),
        "units": units,
    }


def _by_unit(own: Answers, units: NDArray[np.str_]) -> dict[str, NDArray[np.float64]]:
    """Return every metric of all recordings and without each unit, (1 + units, classes)."""
    answers = [np.stack((~each, each), axis=-1).astype(np.float64) for each in (own.gold, own.predicted)]
    counts = np.einsum("rcg,rcp->rcgp", *answers)
    of_units = np.stack([counts[own.units == name].sum(0) for name in units])
    left = np.concatenate((of_units.sum(0, keepdims=True), of_units.sum(0) - of_units))
    found = {metric: score(left) for metric, score in COUNTED.items()}
    kept = [np.ones(len(own.units), np.bool_), *(own.units != name for name in units)]
    found["auc"] = np.stack([areas(own.scores[rows], own.gold[rows]) for rows in kept])
    if own.logits is not None:
        found[OWN] = np.stack([areas(own.logits[rows], own.gold[rows]) for rows in kept])
    return found
