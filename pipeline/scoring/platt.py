"""Probabilities of labels, each by itself -> calibrated ones, by a line on their logits (Platt, 1999).

What is calibrated is what a recogniser gives out: the mean of the probabilities over seeds, p. Calibrated are
`sigmoid(slope logit(p) + offset)`, a line for each class, fitted on dev. Losses that weigh rare labels up
make their probabilities too high; the offset takes that back. Slopes are positive, so that what is surer
stays surer. What is predicted is told by p itself, above .5, where present and absent labels weigh the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

FLOOR = 1e-6
"""Probabilities count as at least this far from 0 and 1."""
FEWEST = 20
"""Utterances of dev, at least, and a quarter as many of either answer; else nothing is fitted."""
SLOPES = (0.05, 20.0)
OFFSETS = (-20.0, 20.0)


class Line(NamedTuple):
    """What calibrates a class, and on how many utterances it was fitted; 1, 0, 0 where they were too few."""

    slope: float
    offset: float
    utterances: int


def fit_line(probabilities: NDArray[np.floating], present: NDArray[np.bool_]) -> Line:
    """Return the line of a class with the highest likelihood of targets drawn towards the middle.

    `(n+ + 1) / (n+ + 2)` for present and `1 / (n- + 2)` for absent labels, so that a class told without error
    has a line too. probabilities, present: (utterances,).
    """
    count, positive = len(present), int(present.sum())
    if count < FEWEST or min(positive, count - positive) < FEWEST // 4:
        return Line(1.0, 0.0, 0)
    from scipy.optimize import minimize  # not where probabilities are only calibrated

    x = _logits(probabilities)
    target = np.where(present, (positive + 1) / (positive + 2), 1 / (count - positive + 2))

    def loss(line: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = line[0] * x + line[1]
        slack = expit(z) - target
        value = np.logaddexp(0, z) - target * z
        return float(value.mean()), np.array([(slack * x).mean(), slack.mean()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[SLOPES, OFFSETS])
    return Line(float(found.x[0]), float(found.x[1]), count)


def on_lines(probabilities: NDArray[np.floating], lines: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
    """Return calibrated probabilities, (..., classes); lines: slope and offset of each class."""
    slopes, offsets = (np.array([line[part] for line in lines], np.float64) for part in (0, 1))
    return np.asarray(expit(slopes * _logits(probabilities) + offsets))


def _logits(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(logit(np.clip(np.asarray(probabilities, np.float64), FLOOR, 1 - FLOOR)))
