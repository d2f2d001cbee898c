"""Class probabilities -> calibrated ones, by one temperature fitted on dev (Guo et al., arXiv 1706.04599).

What is calibrated is what a recogniser gives out: the mean of the probabilities over seeds, p. Calibrated are
`softmax(log(p) / T)`. One T for all classes: it cannot change which class is named, and it needs no utterance
of each class on dev. Scores of a system whose own are no probabilities (linear support vectors: softmax of
distances) become probabilities by T alone, since log(softmax(d)) / T is d / T but for a constant.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

FLOOR = 1e-12
"""Probabilities below it count as it: a forest may give 0, whose logarithm would outweigh all else."""
BOUNDS = (0.05, 20.0)
"""Of T."""
FEWEST = 20
"""Utterances of dev with gold standard, at least. Simulated with seven classes: where none is needed, a
temperature fitted on 10 of them costs .1 to .4 of log likelihood on others, on 20 .02 to .1, on 40 .01."""


class Temperature(NamedTuple):
    """A temperature and on how many utterances it was fitted; 1 and 0 where they were too few."""

    value: float
    utterances: int


def fit_temperature(probabilities: NDArray[np.floating], gold: NDArray[np.integer]) -> Temperature:
    """Return the temperature with the highest likelihood, within `BOUNDS`.

    Where all n utterances are named rightly there is none: the surer, the better. Then it is the one at which
    their mean confidence is (n + 1) / (n + 2), Laplace's rule of succession.

    probabilities: mean over seeds, (utterances, classes). gold: codes, (utterances,).
    """
    count = len(gold)
    if count < FEWEST:
        return Temperature(1.0, 0)
    from scipy.optimize import brentq, minimize_scalar  # not where probabilities are only calibrated: .1 s

    logits, rows = logarithms(probabilities), np.arange(count)

    def loss(log_temperature: float) -> float:
        return -float(log_softmax(logits / np.exp(log_temperature), axis=1)[rows, gold].mean())

    def too_sure(log_temperature: float) -> float:
        confidence = softmax(logits / np.exp(log_temperature), axis=1).max(axis=1)
        return float(confidence.mean()) - (count + 1) / (count + 2)

    low, high = np.log(BOUNDS)
    if (logits.argmax(axis=1) == gold).all():
        found = low if too_sure(low) < 0 else high if too_sure(high) > 0 else brentq(too_sure, low, high)
    else:
        # the likelihood is concave in 1 / T, so there is one maximum
        options = {"xatol": 1e-9}
        found = minimize_scalar(loss, bounds=(low, high), method="bounded", options=options).x
    return Temperature(float(np.exp(found)), count)


def calibrated(probabilities: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Return calibrated probabilities, (..., classes), that add up to 1 and name the same class."""
    return np.asarray(softmax(logarithms(probabilities) / temperature, axis=-1))


def logarithms(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the logarithms of probabilities, of those below `FLOOR` that of it."""
    return np.log(np.maximum(np.asarray(probabilities, np.float64), FLOOR))
