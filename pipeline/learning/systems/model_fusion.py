"""Model-level fusion (fig. 2 c): an encoder per modality, shared layers on the embeddings side by side.

It predicts from all modalities together, so only recordings that have all are learned from and predicted.
"""

from __future__ import annotations

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.torch_learner import TorchLearner, loop_data
from pipeline.learning.torch_loop import LoopData
from pipeline.params import Learning


class ModelFusion(TorchLearner):
    """An encoder for the features of each modality."""

    system = "model_fusion"

    def prepare(self, data: ExperimentData, learning: Learning) -> LoopData:
        """Return the recordings that have all modalities."""
        data = data.by_modality
        return loop_data(data.paired, data.widths, data, learning, order=data.views)


LEARNER = ModelFusion()
