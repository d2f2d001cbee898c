"""Trained models and features of dev and test -> scores against the number of enrolled recordings.

Each recording is predicted with 0, 1, 2, 3, 5 and 10 others of its speaker enrolled, never itself, and with
all of them as in the other tables (itself among them, since the pipeline scales by all recordings of a
speaker). Numbers that a speaker has not are left out for that speaker. Where features are not scaled by
speaker there is nothing to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.catalogue.systems import SYSTEMS, in_order
from pipeline.catalogue.tasks import TASKS
from pipeline.corpora.label_sets import codes_of
from pipeline.corpora.partitions import Fold
from pipeline.learning.dev_scores import shift_back
from pipeline.learning.prediction_file import THRESHOLD
from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths, experiment_name
from pipeline.recogniser.enrolled_cases import EVERY, NUMBERS, Case, Scaled, scaled_recordings
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.scoring.comparison import RANGES
from pipeline.scoring.folds import read_table
from pipeline.scoring.intervals import Jackknifed, Score, difference_interval, jackknife, score_interval
from pipeline.scoring.moments import moments
from pipeline.scoring.selection import Point
from pipeline.scoring.set_metrics import set_counts
from pipeline.scoring.system_intervals import WITH_INTERVALS


def enrolment_rows(
    paths: Paths, corpus: Corpus, folds: Sequence[Fold], scenario: Scenario, dimension: str
) -> Iterator[dict[str, Any]]:
    """Give the rows of an experiment, as `pipeline.recogniser.enrolment_table` says.

    Raises:
        TableError, ModelFileError: features or models are missing or damaged.
    """
    # by system, partition and case: speaker -> sums of each seed, over folds
    found: dict[tuple[str, str], dict[Case, dict[str, NDArray[np.float64]]]] = {}
    settings: dict[str, set[str]] = {}
    counts: dict[str, dict[str, int]] = {}
    own_recordings: dict[str, dict[str, int]] = {}
    for fold in folds:
        own = paths.of_fold(fold.name)
        file = own.models / experiment_name(scenario.name, dimension, fold.name) / "models.safetensors"
        scaled: list[Scaled] | None = None
        for point in _points(own, corpus, scenario, dimension):
            models = ModelsOfSetting.load(file, *point)
            if scaled is None:
                scaled = list(
                    scaled_recordings(
                        own, corpus, fold.recordings, scenario, dimension, models.scalers["target"]
                    )
                )
            settings.setdefault(point.system, set()).add(point.setting)
            for item, sums in zip(scaled, _sums(models, scaled), strict=True):
                cases = found.setdefault((point.system, item.partition), {})
                for case, of_case in zip(item.cases, sums, strict=True):
                    speakers = cases.setdefault(case, {})
                    speakers[item.speaker] = speakers.get(item.speaker, 0) + of_case
        for item in scaled or ():
            of_partition = counts.setdefault(item.partition, {})
            of_partition[item.speaker] = of_partition.get(item.speaker, 0) + 1
            own_recordings.setdefault(item.partition, {})[item.speaker] = item.own
    for (system, partition), cases in found.items():
        setting = "by fold" if len(settings[system]) > 1 else next(iter(settings[system]))
        about = {"system": system, "setting": setting, "partition": partition}
        rows = _rows(cases, counts[partition], own_recordings[partition], corpus)
        yield from (about | row for row in rows)


def _points(paths: Paths, corpus: Corpus, scenario: Scenario, dimension: str) -> list[Point]:
    """Return the points of a fold that evaluation chose and that the page reports, in order of systems."""
    grid = read_table(paths.grid_scores, "folds" if paths.fold else "result")
    here = grid[
        (grid["target"] == scenario.target)
        & (grid["auxiliary"] == scenario.auxiliary)
        & (grid["dimension"] == dimension)
        & (grid["postprocessed"] == int(TASKS[corpus.task].finished))
        & (grid["fold"] == paths.fold)
        & (grid["selected"] > 0)
    ]
    chosen = dict(zip(here["system"], here["setting"], strict=True))
    alone = [name for name in chosen if SYSTEMS[name].needs == "target" and SYSTEMS[name].control_of is None]
    return [Point(name, chosen[name]) for name in in_order(alone)]


def _sums(models: ModelsOfSetting, scaled: Sequence[Scaled]) -> Iterator[list[NDArray[np.float64]]]:
    """Give the sums of each recording from which scores follow: of each case, (seeds, ...)."""
    classes = len(models.about["classes"])
    utterances = all(item.features.shape[1] == 1 for item in scaled)
    together = [scaled] if utterances else [[item] for item in scaled]
    for group in together:
        if not group:
            continue
        outputs = models.predictor.predict_each({"target": np.concatenate([own.features for own in group])})
        shifted = shift_back(torch.from_numpy(outputs), models.about["delay_frames"]).numpy()
        place = 0
        for item in group:
            # (seeds, cases, frames, outputs)
            own = shifted[:, place : place + len(item.cases)]
            place += len(item.cases)
            threshold = None
            if TASKS[models.about["task"]].several:
                fixed = models.about["learning"].get("threshold", THRESHOLD)
                threshold = THRESHOLD if fixed == "dev" else float(fixed)
            yield [_of_case(own[:, case], item.gold, classes, threshold) for case in range(len(item.cases))]


def _of_case(
    outputs: NDArray[np.float32], gold: NDArray[np.float64], classes: int, threshold: float | None
) -> NDArray[np.float64]:
    """Return the sums of one recording, (seeds, 6), (seeds, classes, classes) or, of sets, their counts.

    threshold: above which a class is predicted, where a recording may have several; None: it has one.
    """
    if threshold is not None:
        return np.stack([set_counts(codes_of(own > threshold), gold, classes) for own in outputs])
    if not classes:
        return np.stack([moments(own[:, 0].astype(np.float64), gold) for own in outputs])
    known = np.isfinite(gold)
    places = gold[known].astype(np.int64) * classes + outputs[:, known].argmax(-1)  # (seeds, frames)
    counts = np.stack([np.bincount(own, minlength=classes**2) for own in places])
    return counts.reshape(-1, classes, classes).astype(np.float64)


def _rows(
    cases: Mapping[Case, Mapping[str, NDArray[np.float64]]],
    counts: Mapping[str, int],
    own: Mapping[str, int],
    corpus: Corpus,
) -> Iterator[dict[str, Any]]:
    """Give the rows of one system and partition, metric by metric.

    counts: recordings of each speaker with a gold standard. own: all recordings of each.
    """
    numbers = [str(number) for number in NUMBERS if Case(str(number), 0) in cases]
    for metric, score in WITH_INTERVALS[corpus.task].items():
        for enrolled in [*numbers, EVERY]:
            draws = [cases[case] for case in cases if case.enrolled == enrolled]
            # speakers who have so many recordings, the same in each draw
            speakers = sorted(draws[0])
            having = [own[who] for who in speakers]
            yield {
                "metric": metric, "enrolled": enrolled, "draws": len(draws),
                **_scored(draws, cases[Case("0", 0)], speakers, score, corpus), "speakers": len(speakers),
                "recordings": sum(counts[who] for who in speakers),
                "speakers_left_out": len(counts) - len(speakers), "fewest": min(having), "most": max(having),
            }  # fmt: skip


def _scored(
    draws: Sequence[Mapping[str, NDArray[np.float64]]],
    nothing: Mapping[str, NDArray[np.float64]],
    speakers: Sequence[str],
    score: Score,
    corpus: Corpus,
) -> dict[str, Any]:
    """Return the score of some speakers, and its gain over `nothing`, without enrolment."""
    enrolled, without = (
        _mean_over_draws([np.stack([own[who] for who in speakers], axis=1) for own in each], score)
        for each in (draws, [nothing])
    )
    confidence, bounds = corpus.evaluation.confidence, RANGES[corpus.task]
    found = score_interval(enrolled, confidence, bounds)
    gain = difference_interval(enrolled, without, confidence, bounds, paired=True)
    several = len(enrolled.whole) > 1
    return {
        "value": found.value, "std": enrolled.whole.std(ddof=1) if several else float("nan"),
        "low": found.low, "high": found.high, "confidence": confidence, "gain": gain.value,
        "gain_low": gain.low, "gain_high": gain.high, "gain_p": gain.p, "seeds": len(enrolled.whole),
    }  # fmt: skip


def _mean_over_draws(draws: Sequence[NDArray[np.float64]], score: Score) -> Jackknifed:
    """Return the mean over draws of the score, and without each speaker; draws: (seeds, speakers, ...)."""
    each = [jackknife(own, score) for own in draws]
    return Jackknifed(
        np.mean([own.whole for own in each], axis=0), np.mean([own.left_out for own in each], axis=0)
    )
