"""The (alpha, beta) x seed grid -> programs over processes -> one trained model per point.

A finished model is kept in a cache under a key that hashes everything it depends on: a killed
training goes on where it stopped, and a larger grid trains only the new points. What a model is
does not depend on workers or on how many models share a program.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from pipeline.learning.batches import steps_per_epoch
from pipeline.learning.model_file import unit_from_bytes, unit_to_bytes
from pipeline.learning.progress import watched
from pipeline.learning.system import Variant
from pipeline.learning.systems.emobed.grid_point import GridPoint, program_order
from pipeline.learning.trained_model import TrainedModel, TrainingData
from pipeline.learning.training import train_program
from pipeline.params import Learning
from pipeline.running.parallel import run_tasks

VERSION = 3
"""Raised when the same data and parameters would give other models."""

MEMORY_AT_ONCE = 2e9
"""Bytes that the activations of one program may take; fewer models share a program beyond it."""

logger = logging.getLogger(__name__)


class UnitCache(Protocol):
    """Where finished models are kept."""

    def get(self, key: str) -> bytes | None:
        """Return what was put under `key`, or None."""

    def put(self, key: str, payload: bytes) -> None:
        """Keep `payload` under `key`."""


def grid_points(learning: Learning) -> list[GridPoint]:
    """Return all points of the grid, sorted by alpha, beta and seed."""
    return sorted(GridPoint(*point) for point in product(learning.alpha, learning.beta, learning.seeds))


def unit_keys(data: TrainingData, learning: Learning, device: str) -> dict[Variant, str]:
    """Return the key of each model of the grid in the store of finished units."""
    common = _fingerprint(data, learning, device)
    return {point.variant: _key(common, point.variant) for point in grid_points(learning)}


def train_grid(
    data: TrainingData,
    learning: Learning,
    cache: UnitCache | None = None,
    workers: int = 1,
    models_at_once: int = 16,
    device: str = "cpu",
    scheduler: str | None = None,
    experiments_after: int = 0,
) -> list[TrainedModel]:
    """Train the models of the grid that the cache does not hold; return all, in `grid_points`' order.

    workers: processes, one thread each; on a cluster its workers count, and `workers` is how many of
    them are kept busy at least. models_at_once: most models in one program. scheduler: as in `run_tasks`.
    experiments_after: how many grids as large will follow, for the estimate of time that is logged.

    Raises:
        ClusterError: the cluster cannot be used.
        TrainingError: a loss or gradient is not finite.
    """
    points = grid_points(learning)
    keys = unit_keys(data, learning, device)
    models: dict[Variant, TrainedModel] = {}
    for variant, key in keys.items():
        payload = cache.get(key) if cache is not None else None
        if payload is not None:
            models[variant] = unit_from_bytes(payload)
    missing = [point for point in points if point.variant not in models]
    logger.info(
        "%d of %d models are in the cache, %d are trained, of %d epochs each",
        len(models), len(points), len(missing), learning.optimiser.epochs,
    )  # fmt: skip
    programs = plan_programs(data, learning, missing, workers, models_at_once)
    if not programs:
        return [models[point.variant] for point in points]
    epochs = learning.optimiser.epochs
    with watched(list(map(len, programs)), epochs, experiments_after * len(points) * epochs) as progress:
        # workers of a cluster may be elsewhere: their epochs are counted when a program is finished
        files = [None if scheduler else progress.marks(number) for number in range(len(programs))]
        tasks = ((*task, device) for task in zip(range(len(programs)), programs, files, strict=True))
        finished: Iterator[tuple[int, list[TrainedModel]]]
        if scheduler is None and (workers == 1 or len(programs) == 1 or device == "cuda"):
            finished = (_train(data, learning, task) for task in tasks)
        else:
            finished = run_tasks(_train, (data, learning), tasks, workers=workers, scheduler=scheduler)
        for number, program in finished:
            progress.finish(number)
            for model in program:
                models[model.variant] = model
                if cache is not None:
                    cache.put(keys[model.variant], unit_to_bytes(model))
    return [models[point.variant] for point in points]


def _train(
    data: TrainingData, learning: Learning, task: tuple[int, list[GridPoint], Path | None, str]
) -> tuple[int, list[TrainedModel]]:
    number, program, marks, device = task
    return number, train_program(data, learning, program, device, marks)


def plan_programs(
    data: TrainingData, learning: Learning, points: Sequence[GridPoint], workers: int, models_at_once: int
) -> list[list[GridPoint]]:
    """Group points into programs: all workers busy, no more models or memory than allowed."""
    if not points:
        return []
    allowed = min(models_at_once, max(1, int(MEMORY_AT_ONCE // activation_bytes(data, learning))))
    ordered = sorted(points, key=program_order)
    count = max(-(-len(ordered) // allowed), min(workers, len(ordered)))
    # dealt out like cards: each program gets its share of the costly points
    return [ordered[i::count] for i in range(count)]


def activation_bytes(data: TrainingData, learning: Learning) -> float:
    """Estimate the memory that the activations of one model take in a step, bytes."""
    architecture = data.architecture
    frames = sum(
        min(learning.optimiser.batch, len(part)) * max(len(array) for array in part.features)
        for part in (data.target, data.auxiliary)
        if len(part)
    )
    # per unit and frame about 10 values are alive at once: measured, one model of RECOLA's size takes 1.1 GB
    units = (
        len(architecture.directions)
        * (architecture.encoder_layers + architecture.shared_layers)
        * architecture.hidden
    )
    features = max(architecture.target_features, architecture.auxiliary_features)
    return 4.0 * frames * (10 * units + 2 * features)


def _fingerprint(data: TrainingData, learning: Learning, device: str) -> dict[str, object]:
    """Return what all models of the grid depend on."""
    return {
        "version": VERSION,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "device": device,
        "learning": learning.model_dump(mode="json", exclude={"alpha", "beta", "seeds"}),
        "architecture": vars(data.architecture),
        "target": data.target.sha256(),
        "auxiliary": data.auxiliary.sha256(),
        "steps": steps_per_epoch(len(data.target), len(data.auxiliary), learning.optimiser.batch),
        "evaluation": data.evaluation.sha256(),
        "delay_frames": data.delay_frames,
    }


def _key(common: dict[str, object], variant: Variant) -> str:
    """Return the cache key of one model; of the auxiliary data only the steps count for a classic one."""
    parts = {k: v for k, v in common.items() if k != "auxiliary" or variant.system != "classic"}
    return hashlib.sha256(json.dumps(parts | variant._asdict(), sort_keys=True).encode()).hexdigest()
