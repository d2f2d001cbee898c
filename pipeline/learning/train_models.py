"""A learner and its data -> trained models: store, processes and progress, whatever the systems.

A finished model is kept in the store under a key that hashes everything it depends on: a killed
training goes on where it stopped, and more settings, seeds or systems train only what is new.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from pipeline.catalogue.systems import SYSTEMS, in_order
from pipeline.learning.capacity import Capacity
from pipeline.learning.learner import Learner
from pipeline.learning.model_file import unit_from_bytes, unit_to_bytes
from pipeline.learning.progress import watched
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import CURVES, TrainedModel, TrainingError
from pipeline.params import Learning
from pipeline.running.device import resolve
from pipeline.running.workshop import Workshop

logger = logging.getLogger(__name__)

KIND = "models"
"""Of the store's units."""


def unit_keys(learner: Learner, data: Any, learning: Learning, device: str) -> dict[Variant, str]:
    """Return the key of each model in the store of finished units.

    The columns of learning curves are in it: a unit has them by place.
    """
    found = learner.fingerprints(data, learning, learner.variants(learning), device)
    about = {variant: own | variant._asdict() | {"curve": CURVES} for variant, own in found.items()}
    return {
        variant: hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
        for variant, own in about.items()
    }


def train_models(
    learner: Learner,
    data: Any,
    learning: Learning,
    shop: Workshop | None = None,
    models_at_once: int | None = None,
    experiments_after: int = 0,
    metric: str = "score",
) -> list[TrainedModel]:
    """Train the models that the store does not hold; return all, in the learner's order.

    data: as the learner prepared them. shop: where, and where finished models are kept; its workers are
    processes of one thread each, or at least how many are kept busy on a cluster; None: this process, and
    nothing is kept. models_at_once: most models in one program; None: as many as are
    of use (`pipeline.learning.capacity`). experiments_after: how many as large will
    follow, for the estimate of time that is logged. metric: what the dev score of the learning curves is
    called, for the log.

    Raises:
        ClusterError: the cluster cannot be used.
        TrainingError: a loss or gradient is not finite, or a GPU's memory too small.
    """
    device = resolve(shop.device) if shop else "cpu"
    keys = unit_keys(learner, data, learning, device)
    models: dict[Variant, TrainedModel] = {}
    for variant, key in keys.items():
        payload = shop.store.get(KIND, key) if shop else None
        if payload is not None:
            models[variant] = unit_from_bytes(payload)
    missing = [variant for variant in keys if variant not in models]
    epochs = learner.epochs(learning)
    logger.info("%s", _what_is_trained(list(keys), len(missing), epochs))
    workers, cluster = (shop.workers, shop.scheduler is not None) if shop else (1, False)
    if not missing:
        return [models[variant] for variant in keys]
    capacity = Capacity.of(device, workers, models_at_once)
    programs = learner.programs(data, learning, missing, capacity)
    here = not cluster and (workers == 1 or len(programs) == 1 or device == "cuda")
    at_once = 1 if here else min(workers, len(programs))
    later = experiments_after * len(keys) * epochs
    with watched(list(map(len, programs)), epochs, later, metric, at_once) as progress:
        # workers of a cluster may be elsewhere: their epochs are counted when a program is finished
        files = [None if cluster else progress.marks(number) for number in range(len(programs))]
        tasks = ((*task, device) for task in zip(range(len(programs)), programs, files, strict=True))
        finished: Iterator[tuple[int, list[TrainedModel]]]
        if shop is None or here:
            finished = (_train(learner, data, learning, task) for task in tasks)
        else:
            finished = shop.run_tasks(_train, (learner, data, learning), tasks)
        for number, program in finished:
            progress.finish(number)
            for model in program:
                models[model.variant] = model
                if shop is not None:
                    shop.store.put(KIND, keys[model.variant], unit_to_bytes(model))
    return [models[variant] for variant in keys]


def _what_is_trained(variants: Sequence[Variant], missing: int, epochs: int) -> str:
    """Say of which systems how many models are trained; those without epochs have one, which says nothing."""
    names = ", ".join(SYSTEMS[system].label for system in in_order(own.system for own in variants))
    found = f"{len(variants) - missing} of {len(variants)} models are in the store"
    if not missing:
        return f"{names}: {found}"
    trained = f"{missing} {'is' if missing == 1 else 'are'} trained"
    return f"{names}: {found}, {trained}" + (f", of {epochs} epochs each" if epochs > 1 else "")


def _train(
    learner: Learner, data: Any, learning: Learning, task: tuple[int, Sequence[Variant], Path | None, str]
) -> tuple[int, list[TrainedModel]]:
    number, program, marks, device = task
    try:
        return number, learner.train(data, learning, program, device, marks)
    except torch.OutOfMemoryError:
        raise TrainingError(
            f"the GPU's memory does not hold {len(program)} models at once: set runtime.models_at_once to a "
            "smaller number, or end what else uses it; what is finished is kept"
        ) from None
