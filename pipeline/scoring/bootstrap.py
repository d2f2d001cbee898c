"""Two systems, seeds and units -> interval of their difference, by bootstrap over units and seeds.

A unit is what was drawn from the population: a recording (sessions) or a speaker (utterances). Units
are drawn with replacement and the score is computed anew over all rows of the drawn units; rows within
a unit stay together, so their correlation is kept. Seeds are drawn with replacement too: another
training run is as much a draw as another recording, and its spread can be the larger of the two.
Scores are computed from sums per unit, never from rows: 2,000 resamples take milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Statistics = NDArray[np.float64]
Score = Callable[[Statistics], NDArray[np.float64]]


class Interval(NamedTuple):
    """Difference of two systems (mean over seeds), its percentile interval and two-sided p-value."""

    difference: float
    low: float
    high: float
    p: float


def bootstrap_difference(
    system: Statistics, reference: Statistics, score: Score, resamples: int, confidence: float, seed: int
) -> Interval:
    """Return the bootstrap interval of system - reference (Efron and Tibshirani 1993, section 13.3).

    system, reference: sums per seed and unit, (seeds, units, ...): six sums as from
    `pipeline.scoring.moments.moments`, or confusion counts; the same units in the same order (paired), the
    numbers of seeds may differ. score: sums (..., 6) or counts (..., classes, classes) -> (...), that is
    `ccc_of_moments` or `f1_of_confusion`. Each resample gives the mean over the drawn seeds of each system;
    with equal numbers of seeds both systems get the same ones (they are paired by seed).

    p is twice the smaller share of resamples on one side of 0, counting the observed one, and never below
    2 / 2^units: if the systems did not differ, all units would agree in sign that often by chance. With fewer
    than ten units percentile intervals are too narrow; with one unit there is no interval (NaN).
    """
    units = system.shape[1]
    observed = float(score(system.sum(1)).mean() - score(reference.sum(1)).mean())
    if units < 2 or np.isnan(observed):
        return Interval(observed, float("nan"), float("nan"), float("nan"))
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(units, np.full(units, 1 / units), resamples)
    ours = _drawn_seeds(rng, len(system), resamples)
    theirs = ours if len(reference) == len(system) else _drawn_seeds(rng, len(reference), resamples)
    differences = _resampled(system, score, draws, ours) - _resampled(reference, score, draws, theirs)
    # A resample whose score is undefined (a single constant recording drawn throughout) says nothing.
    differences = differences[~np.isnan(differences)]
    if not differences.size:
        return Interval(observed, float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    below = (1 + (differences <= 0).sum()) / (1 + differences.size)
    above = (1 + (differences >= 0).sum()) / (1 + differences.size)
    p = max(2 * min(below, above), smallest_p(units))
    return Interval(observed, float(low), float(high), float(min(1.0, p)))


def smallest_p(units: int) -> float:
    """Return the smallest two-sided p that `units` independent units can give: all agree in sign."""
    return float(2.0 ** (1 - units))


def f1_of_confusion(counts: Statistics) -> NDArray[np.float64]:
    """Return the harmonic mean of macro precision and macro recall; counts: (..., gold, predicted).

    As `pipeline.scoring.metrics.f1_macro_pr`: means over the classes that occur in the gold standard, of each
    resample its own.
    """
    right = np.diagonal(counts, axis1=-2, axis2=-1)
    occurs = counts.sum(-1) > 0
    classes = np.maximum(occurs.sum(-1), 1)
    recall = _share(right, counts.sum(-1)).sum(-1) / classes
    precision = (_share(right, counts.sum(-2)) * occurs).sum(-1) / classes
    f1 = _share(2 * precision * recall, precision + recall)
    return np.where(counts.sum((-2, -1)) > 0, f1, np.nan)


def accuracy_of_confusion(counts: Statistics) -> NDArray[np.float64]:
    """Return the share of right answers, NaN where there are none; counts: (..., gold, predicted)."""
    total = counts.sum((-2, -1))
    right = np.diagonal(counts, axis1=-2, axis2=-1).sum(-1)
    return np.where(total > 0, _share(right, total), np.nan)


def _drawn_seeds(rng: np.random.Generator, seeds: int, resamples: int) -> NDArray[np.float64]:
    """Return the share of each seed in each resample, (resamples, seeds)."""
    return rng.multinomial(seeds, np.full(seeds, 1 / seeds), resamples) / seeds


def _resampled(
    statistics: Statistics, score: Score, draws: NDArray[np.int64], seeds: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the score of each resample, (resamples,).

    draws: times each unit was drawn, (resamples, units). seeds: share of each seed, (resamples, seeds).
    """
    # (resamples, units) x (seeds, units, ...) -> (resamples, seeds, ...)
    scores = score(np.tensordot(draws.astype(np.float64), statistics, axes=(1, 1)))
    return np.asarray((scores * seeds).sum(1))


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(part, dtype=np.float64), where=whole > 0)
