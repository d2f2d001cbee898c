"""Multi-task learning (fig. 2 d): the classic network with a further output for each other dimension.

Arousal helps to predict valence and the other way round; classes are helped by arousal and valence where the
corpus has them. The loss is `L_own + weight * sum(L_other)`; `weight` is the setting, chosen on dev. Of other
dimensions train alone is ever seen, and what is predicted is the own dimension, from the target alone.
"""

from __future__ import annotations

import numpy as np

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.system import Variant, setting_of, setting_values
from pipeline.learning.torch_learner import TorchLearner, loop_data
from pipeline.learning.torch_loop import LoopData
from pipeline.params import Learning


class MultiTask(TorchLearner):
    """One network with outputs for several dimensions."""

    system = "multi_task"

    def settings(self, learning: Learning) -> list[str]:
        """Return one setting per weight."""
        return [setting_of(weight=weight) for weight in sorted(learning.multi_task.weight)]

    def other_weight(self, variant: Variant) -> float:
        """Return the weight of the other dimensions."""
        return setting_values(variant.setting)["weight"]

    def prepare(self, data: ExperimentData, learning: Learning) -> LoopData:
        """Return the target's sequences with the labels of the other dimensions.

        Raises:
            ValueError: no other dimension has labels in train.
        """
        view = data.views["target"]
        train = set(view.labelled.recordings)
        others = [
            own
            for own in data.other_labels.values()
            if any(name in train and np.isfinite(labels).any() for name, labels in own.items())
        ]
        if not others:
            raise ValueError(
                "learning.systems: multi_task learns a second dimension, and no train recording that is "
                "learned from has labels of arousal or valence besides; leave it out"
            )
        return loop_data(view.sequences, [len(view.features)], data, learning, others)


LEARNER = MultiTask()
