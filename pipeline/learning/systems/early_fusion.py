"""Early fusion (fig. 2 a): the features of all modalities in one row, read by one classic network.

It predicts from all modalities together, so only recordings that have all are learned from and predicted.
"""

from __future__ import annotations

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.torch_learner import TorchLearner, loop_data
from pipeline.learning.torch_loop import LoopData
from pipeline.params import Learning


class EarlyFusion(TorchLearner):
    """One encoder for the features of all modalities."""

    system = "early_fusion"

    def prepare(self, data: ExperimentData, learning: Learning) -> LoopData:
        """Return the recordings that have all modalities, as one modality."""
        data = data.by_modality
        return loop_data(data.paired, [sum(data.widths)], data, learning, order=data.views)


LEARNER = EarlyFusion()
