"""The grid of settings and seeds: its points, what each depends on, and which are trained in one program.

What a model is does not depend on how many models share a program.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import torch

from pipeline.learning.capacity import Capacity
from pipeline.learning.systems.emobed.classic_settings import classic_settings
from pipeline.learning.systems.emobed.compiled import library
from pipeline.learning.systems.emobed.grid_point import CONTROLS, GridPoint, program_order
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Learning

VERSION = 7
"""Raised when the same data and parameters would give other models."""

KERNELS = 1
"""Raised when the same data and parameters would give other models on a GPU, whose arithmetic is its own."""

ALIVE = {"cpu": 7, "numpy": 10, "cuda": 6}
"""Values per unit and frame that are alive at once: measured, one model of RECOLA's size takes .8 GB on the
CPU, 1.1 GB where no compiled functions are there, and .6 GB on a GPU."""

USED = {"network", "optimiser", "loss", "triplet", "scaling", "sequences"}
"""Groups of `learning` that these systems read, besides the grid."""


def grid_points(learning: Learning) -> list[GridPoint]:
    """Return the points of the grid whose systems are asked for.

    Sorted by alpha, beta and seed, then classic's other settings, then the controls, each with all weights
    of EmoBed, then the graded triplet system with all of the triplet one.
    """
    seeds = sorted(learning.seeds)
    weights = list(product(sorted(learning.alpha), sorted(learning.beta)))
    points = [GridPoint(*pair, seed) for pair in weights for seed in seeds]
    points += [
        GridPoint(0.0, 0.0, seed, rate=rate, decay=decay)
        for rate, decay in classic_settings(learning)[1:]
        for seed in seeds
    ]
    points += [
        GridPoint(alpha, beta, seed, control)
        for control in CONTROLS
        for alpha, beta in weights
        for seed in seeds
        if alpha > 0 and beta > 0
    ]
    points += [
        GridPoint(0.0, beta, seed, graded=True)
        for beta in sorted(learning.beta)
        for seed in seeds
        if beta > 0
    ]
    return [point for point in points if point.system in learning.systems]


def plan_programs(
    data: TrainingData, learning: Learning, points: Sequence[GridPoint], capacity: Capacity
) -> list[list[GridPoint]]:
    """Group points into programs: all workers busy, no more models or memory than allowed."""
    if not points:
        return []
    largest = max(1, capacity.memory // activation_bytes(data, learning, capacity.device))
    allowed = int(min(capacity.models, largest, len(points)))
    ordered = sorted(points, key=program_order)
    count = max(-(-len(ordered) // allowed), min(capacity.workers, len(ordered)))
    # dealt out like cards: each program gets its share of the costly points
    return [ordered[i::count] for i in range(count)]


def activation_bytes(data: TrainingData, learning: Learning, device: str = "cpu") -> float:
    """Estimate the memory that the activations of one model take in a step, bytes."""
    architecture = data.architecture
    frames = sum(
        min(learning.optimiser.batch, len(part)) * max(len(array) for array in part.features)
        for part in (data.target, data.auxiliary)
        if len(part)
    )
    units = (
        len(architecture.directions)
        * (architecture.encoder_layers + architecture.shared_layers)
        * architecture.hidden
    )
    features = max(architecture.target_features, architecture.auxiliary_features)
    way = "numpy" if device == "cpu" and library() is None else device
    return 4.0 * frames * (ALIVE[way] * units + 2 * features)


def fingerprints(
    data: TrainingData, learning: Learning, points: Sequence[GridPoint], device: str
) -> dict[GridPoint, dict[str, object]]:
    """Return what the model of each point depends on, besides the point.

    Of the auxiliary data only the number of steps counts for a classic model.
    """
    used = learning.said(USED)
    # what it means is said below, of those that it concerns
    used["triplet"].pop("distance", None)
    common: dict[str, object] = {
        "version": VERSION,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": device,
        "learning": used,
        "architecture": data.architecture.said(),
        "target": data.target.sha256(),
        "steps": data.steps(learning.optimiser.batch),
        "evaluation": data.evaluation.sha256(),
        "delay_frames": data.delay_frames,
    }
    if data.positive_weight:
        common["positive_weight"] = list(data.positive_weight)
    if device != "cpu":
        common["kernels"] = KERNELS
    both = common | {"auxiliary": data.auxiliary.sha256()}
    found = {}
    for point in points:
        found[point] = dict(common if point.system == "classic" else both)
        if point.rate is not None:  # its own, in the setting: not those of the others
            others = {"learning_rate", "weight_decay"}
            kept = {name: value for name, value in used["optimiser"].items() if name not in others}
            found[point]["learning"] = used | {"optimiser": kept}
        if point.permuted:
            found[point]["permuted"] = data.permuted[point.seed].sha256()
        if point.by_votes(learning):
            seen = data.distributions
            found[point]["votes"] = seen and seen.sha256(point.seed if point.permuted else None)
    return found
