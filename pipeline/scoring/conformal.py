"""Errors on dev -> how far a prediction has to reach to either side to hold the gold standard of 90 %.

Frames of one recording are alike; another recording, or speaker, differs. What is exchangeable are units
(recordings, or speakers with several): those of dev, and the one to come. So every unit of dev counts alike,
and its frames share its weight. Split conformal prediction for such groups (Lee, Barber, Willett,
Distribution-free inference with hierarchical data, arXiv 2306.06342) takes the quantile at `coverage` of

    sum over n units and their frames of 1 / ((n + 1) frames) at |error|,   and 1 / (n + 1) at infinity.

Then a frame of a unit to come is covered with a probability of at least `coverage`, whatever the
distributions. For 90 % that is infinite below 9 units, with 9 the largest error of all, and covers some 97 %
with 12. So the rule is used where its caution takes at most half of what may be missed: from 18 units on.

With fewer, no finite interval has a guarantee without assumptions. Then it is the quantile of the same
distribution without infinity, made wider by Student's t over the normal quantile. The degrees of freedom are
those of the mean over units of the squared error (Satterthwaite): many where units are alike, n where they
differ as squares of single normal numbers do. From three units that is itself uncertain, so it is averaged
with that latter case, which counts as `PRIOR` units. `benchmarks/coverage.py` measures it beside other ways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

COVERAGE = 0.9
FEWEST = 3
"""Units of dev, at least."""
PRIOR = 2
"""Units that the assumption on degrees of freedom counts as."""
ROUNDING = 1e-9
Errors = NDArray[np.float64]


class Reach(NamedTuple):
    """How far an interval reaches to either side, in units of the gold standard; NaN for rule `none`.

    units: of dev. rule: `conformal`, with the guarantee; `widened`, without; `none`, too few units.
    """

    value: float
    units: int
    rule: Literal["conformal", "widened", "none"]


def reach(errors: Sequence[Errors], coverage: float = COVERAGE) -> Reach:
    """Return the reach from the errors of each unit, prediction - gold standard, (frames,) each.

    Units without any frame are left out.

    Raises:
        ValueError: an error is not finite.
    """
    sizes = [np.abs(own) for own in errors if len(own)]
    if not all(np.isfinite(own).all() for own in sizes):
        raise ValueError("an error is not finite; expected those of frames with gold standard")
    units = len(sizes)
    if units < FEWEST:
        return Reach(float("nan"), units, "none")
    guaranteed = coverage * (units + 1) / units
    if guaranteed <= (1 + coverage) / 2 + ROUNDING:
        return Reach(quantile_of_units(sizes, guaranteed), units, "conformal")
    return Reach(quantile_of_units(sizes, coverage) * widening(sizes, coverage), units, "widened")


def quantile_of_units(sizes: Sequence[Errors], level: float) -> float:
    """Return the quantile of sizes at `level`, each unit weighing the same."""
    every = np.concatenate(sizes)
    weights = np.concatenate([np.full(len(own), 1 / len(own)) for own in sizes]) / len(sizes)
    order = np.argsort(every, kind="stable")
    place = int(np.searchsorted(np.cumsum(weights[order]), level - ROUNDING))
    return float(every[order[min(place, len(every) - 1)]])


def widening(sizes: Sequence[Errors], coverage: float) -> float:
    """Return Student's t over the normal quantile, with degrees of freedom as in the module's text."""
    squares = np.array([np.mean(own**2) for own in sizes])
    mean, units = squares.mean(), len(sizes)
    if mean == 0:
        return 1.0
    single = 2 * mean**2  # variance of the square of a normal number with this mean square
    variance = ((units - 1) * squares.var(ddof=1) + PRIOR * single) / (units - 1 + PRIOR)
    freedom = max(1.0, 2 * mean**2 * units / variance)
    tail = (1 + coverage) / 2
    return float(stdtrit(freedom, tail) / ndtri(tail))
