"""Sums per seed and unit -> a score, or a difference of two systems, with its interval and p-value.

A unit is what was drawn from the population: a recording, or a speaker where speakers have several. Another
training run is as much a draw as another unit, so there are two sources of error, and few of either: three
seeds and six recordings are usual. Both are estimated apart: over units by the jackknife (each is left out
once and the score computed anew, since CCC and F1 are no means over units), over seeds by the standard error
of the scores of single seeds. Their sum counts what is peculiar to a seed and a unit twice, which errs on
the safe side. `benchmarks/false_alarms.py` measures how often such an interval is wrong, beside other ways.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import stdtrit

Statistics = NDArray[np.float64]
Score = Callable[[Statistics], NDArray[np.float64]]
Range = Literal["correlation", "share"]
"""Of a score: -1 to 1, or 0 to 1."""
ENDS: dict[Range, tuple[float, float]] = {"correlation": (-1.0, 1.0), "share": (0.0, 1.0)}
NAN = float("nan")
ROUNDING = 1e-12
"""A standard error up to it is none."""
LOG_SMALLEST = -100.0
"""Log of the smallest p that is told from 0."""


class Interval(NamedTuple):
    """A mean over seeds with its interval.

    p: two-sided, of the hypothesis that the value is 0. error: the standard error; t: how many of them the
    interval extends to either side. unit_share, seed_share: the parts of the squared error that come from
    units and from seeds; with one seed nothing is known of others, and its share is NaN. low, high, p and
    error are NaN where they cannot be told: with one unit, where the score is undefined with or without some
    unit, and where all units and seeds give exactly the same difference other than 0.
    """

    value: float
    low: float
    high: float
    p: float
    error: float
    t: float
    unit_share: float
    seed_share: float


class Jackknifed(NamedTuple):
    """Scores of all units, (seeds,), and without each unit, (seeds, units)."""

    whole: NDArray[np.float64]
    left_out: NDArray[np.float64]


def jackknife(statistics: Statistics, score: Score) -> Jackknifed:
    """Compute a score of all units and without each of them.

    statistics: sums per seed and unit, (seeds, units, ...): six sums as from
    `pipeline.scoring.moments.moments`, or confusion counts. score: sums (..., 6) or counts (..., classes,
    classes) -> (...).
    """
    total = statistics.sum(1)
    return Jackknifed(score(total), score(total[:, None] - statistics))


def score_interval(scores: Jackknifed, confidence: float, of: Range) -> Interval:
    """Return the interval of one system's score, mean over seeds.

    It is symmetric for artanh of a correlation and for the logit of a share (delta method), so it stays
    within the range of the score; at the very end of the range it is cut off there.
    """
    low, high = ENDS[of]
    found = _interval(scores.whole.mean(), [scores.left_out.mean(0)], [scores.whole], confidence)
    if not low + ROUNDING < found.value < high - ROUNDING or np.isnan(found.error):
        return found._replace(low=max(found.low, low), high=min(found.high, high))
    place = 2 * (found.value - low) / (high - low) - 1  # logit(x) = 2 artanh(2 x - 1)
    half = (found.high - found.low) / (high - low) / (1 - place**2)
    ends = (low + high) / 2 + (high - low) / 2 * np.tanh(np.arctanh(place) + np.array([-half, half]))
    return found._replace(low=float(ends[0]), high=float(ends[1]))


def difference_interval(
    system: Jackknifed, reference: Jackknifed, confidence: float, of: Range, paired: bool
) -> Interval:
    """Return the interval of system - reference, each the mean over its seeds; both left out the same units.

    paired: whether seed k of one belongs to seed k of the other (the same start and batches); else the
    numbers of seeds may differ.
    """
    value = system.whole.mean() - reference.whole.mean()
    left_out = system.left_out.mean(0) - reference.left_out.mean(0)
    by_seed = [system.whole - reference.whole] if paired else [system.whole, reference.whole]
    found = _interval(value, [left_out], by_seed, confidence)
    most = ENDS[of][1] - ENDS[of][0]
    return found._replace(low=max(found.low, -most), high=min(found.high, most))


def gap_interval(
    ones: tuple[Sequence[str], Statistics], others: tuple[Sequence[str], Statistics], score: Score,
    confidence: float, of: Range,
) -> Interval:  # fmt: skip
    """Return the interval of the score of some recordings minus that of others, by the same models.

    ones, others: their units, and sums (seeds, units, ...), the seeds the same. Two groups without a common
    unit are two samples, each left out of by itself. A unit that is in both (a speaker of two languages) is
    left out of both, and the degrees of freedom are those of the smaller group.
    """
    scores = [jackknife(sums, score) for _, sums in (ones, others)]
    means = [float(own.whole.mean()) for own in scores]
    shared = sorted({*ones[0], *others[0]})
    if len(shared) == len(ones[0]) + len(others[0]):
        left_out = [scores[0].left_out.mean(0) - means[1], means[0] - scores[1].left_out.mean(0)]
    else:
        apart = []
        for (units, _), own in zip((ones, others), scores, strict=True):
            place = {unit: number for number, unit in enumerate(units)}
            without, whole = own.left_out.mean(0), own.whole.mean()
            apart.append(np.array([without[place[u]] if u in place else whole for u in shared]))
        left_out = [apart[0] - apart[1]]
    by_seed = [scores[0].whole - scores[1].whole]
    fewest = min(len(ones[0]), len(others[0]))
    found = _interval(means[0] - means[1], left_out, by_seed, confidence, fewest)
    most = ENDS[of][1] - ENDS[of][0]
    return found._replace(low=max(found.low, -most), high=min(found.high, most))


def _interval(
    value: float, left_out: Sequence[NDArray[np.float64]], by_seed: Sequence[NDArray[np.float64]],
    confidence: float, most: int | None = None,
) -> Interval:  # fmt: skip
    """Return the interval of `value` by Student's t.

    left_out: the value without each unit, (units,), of each independent sample of units. by_seed: independent
    parts of the value, (seeds,) each. most: units that a sample counts as at most for degrees of freedom.

    t is the mean of the quantiles of Student's t with the degrees of freedom of each part, weighted by the
    parts' shares in the squared error (Cochran, Biometrics 20, 1964, p. 191). Satterthwaite's degrees of
    freedom take shares for known which come from three seeds: a lucky small one calls for a t that is far too
    small, and with 27 speakers and 3 seeds .08 false alarms where .05 are meant.
    """
    unknown = Interval(float(value), *[NAN] * 7)
    if np.isnan(value) or any(len(own) < 2 or np.isnan(own).any() for own in left_out):
        return unknown
    parts = [
        ((len(own) - 1) ** 2 / len(own) * own.var(ddof=1), min(len(own), most or len(own)) - 1)
        for own in left_out
    ]
    parts += [(own.var(ddof=1) / len(own), len(own) - 1) for own in by_seed if len(own) > 1]
    squared = sum(part for part, _ in parts)
    if squared <= ROUNDING**2:
        same = abs(value) <= ROUNDING  # identical predictions
        return Interval(0.0, 0.0, 0.0, 1.0, 0.0, NAN, NAN, NAN) if same else unknown
    error = float(np.sqrt(squared))
    shares, dfs = np.array([part / squared for part, _ in parts]), np.array([own for _, own in parts])
    t = float(shares @ stdtrit(dfs, (1 + confidence) / 2))
    several = any(len(own) > 1 for own in by_seed)
    return Interval(
        float(value), float(value - t * error), float(value + t * error),
        _two_sided_p(abs(value) / error, shares, dfs), error, t,
        float(shares[: len(left_out)].sum()), float(1 - shares[: len(left_out)].sum()) if several else NAN,
    )  # fmt: skip


def _two_sided_p(t: float, shares: NDArray[np.float64], dfs: NDArray[np.float64]) -> float:
    """Return the p at which the weighted quantile of Student's t is `t` >= 0."""

    def excess(log_p: float) -> float:
        return float(-shares @ stdtrit(dfs, np.exp(log_p) / 2) - t)

    if t == 0 or excess(LOG_SMALLEST) <= 0:
        return 1.0 if t == 0 else 0.0
    return float(np.exp(brentq(excess, LOG_SMALLEST, 0.0)))
