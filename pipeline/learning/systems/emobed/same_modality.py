"""The control `same_modality`: what EmoBed gains when nothing of another modality is there."""

from __future__ import annotations

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.training_data import TrainingData, training_data
from pipeline.params import Learning


class SameModality(EmoBed):
    """EmoBed with the target modality as its own auxiliary, read by an encoder of its own."""

    systems: tuple[str, ...] = ("same_modality",)

    def prepare(self, data: ExperimentData, learning: Learning) -> TrainingData:
        """Return the data with the target's sequences in place of the auxiliary ones."""
        return training_data(data, learning).same_modality()


LEARNER = SameModality()
