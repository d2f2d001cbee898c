"""Made-up experiments with systems that do not differ: sums per seed and unit, as scoring gets them.

Two systems are drawn alike, so any difference between them is chance. What is peculiar to a system on a
unit, in a seed, and in both together has a standard deviation each (`SETTINGS`): it makes the errors of a
trace larger or smaller and moves its mean, or makes the right class more or less likely. What both systems
share (a speaker who is hard for either) cancels in the difference.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SETTINGS = {
    "balanced": (0.15, 0.15, 0.15),
    "units": (0.3, 0.05, 0.05),
    "seeds": (0.05, 0.25, 0.05),
    "residual": (0.05, 0.05, 0.4),
    "units and seeds": (0.3, 0.25, 0.05),
}
"""What differs: standard deviation over units, over seeds, and of what is left."""
SHAPES = ((6, 3), (9, 5), (27, 3), (27, 12))
"""Units and seeds."""
MOMENTS, FRAMES = 50, 15
"""A trace holds so many independent values, each for so many frames (.6 s at 25 Hz)."""
CLASSES, UTTERANCES = 7, 14
"""Of a speaker."""
Pair = tuple[NDArray[np.float64], NDArray[np.float64]]


class Sizes(NamedTuple):
    """Of one experiment; deviations: see `SETTINGS`; better: by how much the first system is better."""

    units: int
    seeds: int
    deviations: tuple[float, float, float]
    better: float = 0.0


def traces(rng: np.random.Generator, sizes: Sizes) -> Pair:
    """Return the six sums of both systems, (seeds, units, 6)."""
    gold, hard = gold_traces(rng, sizes.units)
    return (
        traces_of_system(rng, gold, hard - sizes.better, sizes),
        traces_of_system(rng, gold, hard, sizes),
    )


def gold_traces(rng: np.random.Generator, units: int) -> Pair:
    """Return a gold standard, (units, values), and how hard each unit is for any system, (1, units)."""
    spread = np.exp(0.3 * rng.normal(size=(units, 1)))
    gold = 0.3 * rng.normal(size=(units, 1)) + spread * rng.normal(size=(units, MOMENTS))
    return gold, 0.2 * rng.normal(size=(1, units))


def traces_of_system(
    rng: np.random.Generator, gold: NDArray[np.float64], hard: NDArray[np.float64], sizes: Sizes
) -> NDArray[np.float64]:
    """Return the six sums of a system whose errors grow with what is hard, (seeds, units, 6)."""
    error, bias = hard + _peculiar(rng, sizes), 0.5 * _peculiar(rng, sizes)
    return sums_of(rng, gold, error, bias)


def sums_of(
    rng: np.random.Generator,
    gold: NDArray[np.float64],
    error: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the six sums of traces; error: log of its size, bias: of the mean, (seeds, units)."""
    noise = rng.normal(size=(*error.shape, MOMENTS))
    trace = 0.6 * gold + bias[..., None] + 0.7 * np.exp(error)[..., None] * noise
    gold = np.broadcast_to(gold, trace.shape)
    count = np.full(error.shape, float(MOMENTS))
    products = [np.einsum("sut,sut->su", one, other) for one, other in
                ((trace, trace), (gold, gold), (trace, gold))]  # fmt: skip
    return FRAMES * np.stack([count, trace.sum(-1), gold.sum(-1), *products], axis=-1)


def classes(rng: np.random.Generator, sizes: Sizes) -> Pair:
    """Return the confusion counts of both systems, (seeds, units, C, C); every speaker shows all classes."""
    gold = np.tile(np.arange(CLASSES), UTTERANCES // CLASSES)
    hard = 0.3 * rng.normal(size=(1, sizes.units))
    found = []
    for better in (sizes.better, 0.0):
        right = 1.8 + better - hard + 2 * _peculiar(rng, sizes)  # (seeds, units)
        scores = rng.gumbel(size=(*right.shape, len(gold), CLASSES))
        scores += right[..., None, None] * np.eye(CLASSES)[gold]
        model = np.arange(right.size).reshape(*right.shape, 1)
        cell = (model * CLASSES + gold) * CLASSES + scores.argmax(-1)
        counts = np.bincount(cell.ravel(), minlength=right.size * CLASSES**2)
        found.append(counts.reshape(*right.shape, CLASSES, CLASSES).astype(np.float64))
    return found[0], found[1]


def settings_of_system(
    rng: np.random.Generator, gold: NDArray[np.float64], hard: NDArray[np.float64], count: int, sizes: Sizes
) -> NDArray[np.float64]:
    """Return the six sums of `count` settings of a system, half of whose peculiarities they share.

    (settings, seeds, units, 6)
    """
    shared = _peculiar(rng, sizes)
    half = np.sqrt(0.5)
    return np.stack(
        [
            sums_of(rng, gold, hard + half * (shared + _peculiar(rng, sizes)), 0.5 * _peculiar(rng, sizes))
            for _ in range(count)
        ]
    )


def _peculiar(rng: np.random.Generator, sizes: Sizes) -> NDArray[np.float64]:
    units, seeds, rest = sizes.deviations
    shape = (sizes.seeds, sizes.units)
    return (
        units * rng.normal(size=(1, shape[1]))
        + seeds * rng.normal(size=(shape[0], 1))
        + rest * rng.normal(size=shape)
    )
