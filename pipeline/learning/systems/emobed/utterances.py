"""A program's steps on utterances of one frame each, compiled: an epoch of one model after the other.

Losses, their gradients, clipping and Adam are those of `autograd_steps` up to rounding, with the same draws
of batches and frames. What a step needs of one model stays in the processor's cache from step to step.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.systems.emobed.compiled import library
from pipeline.learning.systems.emobed.gru_layer import ALIGNMENT
from pipeline.learning.systems.emobed.program import Program, any_of
from pipeline.learning.systems.emobed.utterance_plan import UtterancePlan, longs_of


def obstacle(program: Program) -> str | None:
    """Say why the steps of a program cannot be taken here; None if they can."""
    if program.device.type != "cpu" or program.core.values.dtype != torch.float32:
        return f"{program.core.values.dtype} on {program.device}"
    if max(part.features.shape[1] for part in (program.target, program.auxiliary) if part is not None) > 1:
        return "sequences have more than one frame"
    return None if library() is not None else "there are no compiled functions"


class UtteranceSteps:
    """Steps of all models, one model after the other."""

    def __init__(self, program: Program) -> None:
        """Put the data and settings where the compiled functions look for them, and start Adam."""
        found = library()
        assert found is not None
        self._program, self._plan = program, UtterancePlan(program)
        self.moments = self._plan.moments
        self._functions = found
        models = len(program.points[program.with_triplet])
        self._every = [
            np.broadcast_to(np.arange(side.batch), (models, side.batch)) for side in self._plan.plan.modality
        ]
        memory = found.utterance_bytes(self._plan.plan, self._plan.kinds)
        self._memory = torch.empty(memory + ALIGNMENT, dtype=torch.uint8)

    def epoch(self, epoch: int, active: torch.Tensor) -> NDArray[np.float64]:
        """Take the steps of an epoch; see `pipeline.learning.systems.emobed.training.Steps`."""
        program, triplets = self._program, self._program.with_triplet
        record = np.zeros((len(program.points), 4))
        indices, drawn = self._draws()
        memory = -(-self._memory.data_ptr() // ALIGNMENT) * ALIGNMENT
        wrong: list[tuple[int, int]] = []
        for place in active.nonzero().flatten().tolist():
            model, seed = self._plan.models[place], int(program.seed_of_model[place])
            for seen, batches in zip(model.seen, indices, strict=False):
                seen.indices = batches[seed].ctypes.data
            if triplets.start <= place < triplets.stop:
                for seen, places in zip(model.seen, drawn, strict=True):
                    seen.drawn = places[place - triplets.start].ctypes.data
            status = self._functions.utterance_epoch(
                self._plan.plan, model, record[place].ctypes.data, memory
            )
            model.descent.taken += program.steps
            if status:
                wrong.append((status, place))
        if wrong:
            status, place = min(wrong)  # the first step; losses before gradients
            raise program.refuse(place, "loss" if status % 2 else "gradient", epoch)
        for column, models in ((1, program.with_joint), (2, program.with_triplet)):
            without = np.ones(len(record), bool)
            without[models] = False
            record[without, column] = np.nan
        return record

    def _draws(self) -> tuple[list[NDArray[np.int64]], list[NDArray[np.int64]]]:
        """Draw the batches of an epoch and, where there are triplets, their frames; of each modality.

        Batches are (seeds, steps, batch), frames (models with a triplet loss, steps, drawn).
        """
        program = self._program
        names = list(program.orders)
        steps = [[program.draw(name) for name in names] for _ in range(program.steps)]
        indices = [longs_of(np.stack([step[side] for step in steps], axis=1)) for side in range(len(names))]
        if not any_of(program.with_triplet):
            return indices, []
        models = program.with_triplet
        seeds = [point.seed for point in program.points[models]]
        labellings = [point.permuted for point in program.points[models]]
        rows = program.seed_of_model[models].numpy()
        drawn: list[list[NDArray[np.int64]]] = [[], []]
        for step in range(program.steps):
            for side, batches in enumerate(indices):
                every = self._every[side]
                if program.frame_draws.takes_all(every.shape[1]):
                    drawn[side].append(every)
                    continue
                classes = np.take_along_axis(self._plan.codes[side], batches[rows, step], axis=1)
                drawn[side].append(program.frame_draws.positions(classes, seeds, labellings))
        return indices, [longs_of(np.stack(own, axis=1)) for own in drawn]
