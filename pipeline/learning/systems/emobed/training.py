"""Sequences of both modalities -> trained models, many at once in one program.

`J = L_target + alpha L_auxiliary + beta L_triplet` (eq. 8) per model; models differ in alpha, beta, seed,
learning rate, weight decay, and in whose labels the auxiliary sequences have.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.progress import mark_epoch
from pipeline.learning.systems.emobed.autograd_steps import AutogradSteps
from pipeline.learning.systems.emobed.grid_point import GridPoint, program_order
from pipeline.learning.systems.emobed.kept_weights import KeptWeights
from pipeline.learning.systems.emobed.program import Program
from pipeline.learning.systems.emobed.reused_memory import reused_memory
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.systems.emobed.utterances import UtteranceSteps, obstacle
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning
from pipeline.running.one_thread import one_thread

logger = logging.getLogger(__name__)


class Steps(Protocol):
    """A way of taking the steps of a program."""

    def epoch(self, epoch: int, active: torch.Tensor) -> NDArray[np.float64]:
        """Take the steps of an epoch.

        epoch: its number. active: which models still learn, (models,). Returns the sums over steps of the
        first four of `CURVES`, (models, 4), NaN where a model has no such loss.

        Raises:
            TrainingError: a loss or gradient is not finite.
        """


def train_program(
    data: TrainingData,
    learning: Learning,
    points: Sequence[GridPoint],
    device: str = "cpu",
    marks: Path | None = None,
) -> list[TrainedModel]:
    """Train models at once, in one thread; returned in the order of `points`.

    marks: file that grows with every epoch (`pipeline.learning.progress`).

    Raises:
        TrainingError: a loss or gradient is not finite.
    """
    # what is not finite is found and named by the program itself
    with one_thread(), reused_memory(), np.errstate(invalid="ignore", over="ignore"):
        program = Program(data, learning, sorted(points, key=program_order), torch.device(device))
        models = program.trained(_run(program, _steps(program), marks))
    by_variant = {model.variant: model for model in models}
    return [by_variant[point.variant] for point in points]


def _steps(program: Program) -> Steps:
    """Return the quicker way that can take these steps."""
    against = obstacle(program)
    if against is None:
        logger.debug("%d models: steps of utterances, compiled", len(program.points))
        return UtteranceSteps(program)
    logger.debug("%d models: steps by autograd: %s", len(program.points), against)
    return AutogradSteps(program)


def _run(program: Program, steps: Steps, marks: Path | None) -> NDArray[np.float64]:
    """Train all epochs, each noted in `marks`, up to the final weights; return (epochs, models, `CURVES`)."""
    optimiser = program.learning.optimiser
    count = len(program.points)
    active = torch.ones(count, dtype=torch.bool)
    best = torch.full((count,), -torch.inf, dtype=torch.float64)
    best_epoch = torch.zeros(count, dtype=torch.long)
    parts = program.parts()
    kept = [KeptWeights(part, optimiser.average_epochs) for part, _ in parts]
    curves: list[NDArray[np.float64]] = []
    for epoch in range(optimiser.epochs):
        sums = steps.epoch(epoch, active)
        on_dev = program.evaluation.on_dev(program.core.tensors, program.learning)
        score = on_dev[:, 0]
        curve = np.column_stack((sums / [*[program.steps] * 3, 1], on_dev.numpy()))
        curve[~active.numpy()] = np.nan
        curves.append(curve)
        improved = (score > best) & active
        best, best_epoch = torch.where(improved, score, best), torch.where(improved, epoch, best_epoch)
        for keeper, (_, models) in zip(kept, parts, strict=True):
            if optimiser.weights != "average":
                keeper.keep_best(improved[models] if epoch else active[models])
            elif optimiser.patience is not None or epoch >= optimiser.epochs - optimiser.average_epochs:
                keeper.keep_last(active[models])
        mark_epoch(marks, best.max().item())
        if optimiser.patience is not None:
            active &= epoch - best_epoch < optimiser.patience
            if not active.any():
                break
    for keeper in kept:
        keeper.restore()
    return np.stack(curves)
