"""True course of an emotion -> traces of six simulated raters -> gold standard.

A rater follows the truth late (a lag of its own), with a bias, a scale, a slow drift and the jitter of
a joystick. The gold standard is the mean of the traces, weighted by each rater's mean CCC with the
other five (AVEC 2016).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.corpora.rendering.emotion import PREROLL, STEP
from pipeline.corpora.rendering.randomness import generator, smooth_noise

RATERS = ("FM1", "FM2", "FM3", "FF1", "FF2", "FF3")
LAG_SPREAD = 0.25  # seconds, standard deviation over the raters
DRIFT = 4.0  # seconds, kernel of what a rater adds of its own
JOYSTICK = 0.25  # seconds, kernel of the hand's jitter
JITTER = 0.008  # standard deviation of the hand's jitter
DIGITS = 6  # decimals of a trace in the csv files


@dataclass(frozen=True)
class Rater:
    """How one person rates one dimension of one recording; `lag` in seconds, `noise` as sd of the drift."""

    name: str
    lag: float
    bias: float
    scale: float
    noise: float


def draw_raters(
    seed: int, corpus: str, dimension: int, lag: float, rng: np.random.Generator
) -> tuple[Rater, ...]:
    """Draw the six raters of one dimension (0 arousal, 1 valence).

    The persons are the same in all recordings; `rng` adds what differs from one recording to the next.
    The mean of their lags is `lag`.
    """
    persons = generator(seed, corpus, None, dimension, "raters")
    spread = persons.standard_normal(len(RATERS))
    spread = (spread - spread.mean()) / spread.std() * min(LAG_SPREAD, lag / 3)
    biases = persons.normal(0, 0.05, len(RATERS)) + rng.normal(0, 0.02, len(RATERS))
    scales = persons.uniform(0.75, 1.2, len(RATERS)) + rng.normal(0, 0.04, len(RATERS))
    noises = persons.uniform(0.025, 0.055, len(RATERS)) * (1.0 if dimension == 0 else 0.8)
    columns = zip(RATERS, lag + spread, biases, scales, noises, strict=True)
    return tuple(Rater(name, *map(float, values)) for name, *values in columns)


def rate(
    raters: tuple[Rater, ...], time: np.ndarray, truth: np.ndarray, rows: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the raters' traces, rounded as they are written, shape (raters, rows), -1..1.

    Args:
        raters: who rates
        time: times of the truth in seconds, from before the recording, (steps,)
        truth: the dimension's true course, (steps,)
        rows: length of the annotation grid, from 0 in steps of 0.04 s
        rng: source of drift and jitter
    """
    drift = smooth_noise(rng, rows, DRIFT / STEP, rows=len(raters))
    jitter = smooth_noise(rng, rows, JOYSTICK / STEP, rows=len(raters))
    traces = np.empty((len(raters), rows))
    for index, rater in enumerate(raters):
        seen = np.interp(np.arange(rows) * STEP - rater.lag, time, truth)
        trace = rater.bias + rater.scale * seen + rater.noise * drift[index] + JITTER * jitter[index]
        traces[index] = np.round(np.clip(trace, -1, 1), DIGITS)
    return traces


def gold_standard(traces: np.ndarray) -> np.ndarray:
    """Fuse traces of shape (raters, rows) into one of shape (rows,)."""
    means, variances = traces.mean(axis=1), traces.var(axis=1)
    covariance = np.cov(traces, ddof=0)
    distance = (means[:, None] - means[None, :]) ** 2
    agreement = 2 * covariance / (variances[:, None] + variances[None, :] + distance)
    others = ~np.eye(len(traces), dtype=bool)
    weights = agreement.mean(axis=1, where=others)
    return weights @ traces / weights.sum()


def longest_lag() -> float:
    """Return the longest lag in seconds for which the truth before the recording is known."""
    return PREROLL
