"""`teacher`: what teaches `taught`, as a system of its own, so that its lead is in the tables.

It needs the modalities that it reads when it is used. Its probabilities are not calibrated here: the stage
evaluate calibrates those of every system.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.one_by_one import OneByOne
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.systems.late_fusion import WeightedMean
from pipeline.learning.systems.taught.learner import VERSION
from pipeline.learning.systems.taught.teacher import mean_predictions, networks_of, train_members
from pipeline.learning.torch_learner import depends_on, state_of
from pipeline.learning.torch_loop import LoopData
from pipeline.learning.torch_networks import Ensemble, sizes_from
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.params import Learning
from pipeline.running.one_thread import one_thread


@dataclass(frozen=True)
class TeacherData:
    """What each network of the teacher learns from."""

    parts: tuple[LoopData, ...]

    @property
    def evaluation(self) -> Sequences:
        """Return what is predicted."""
        return self.parts[0].evaluation


class Teacher(OneByOne):
    """The mean of a teacher's networks."""

    system = "teacher"
    version = VERSION

    def epochs(self, learning: Learning) -> int:
        """Return 1: the epochs of several networks are not counted."""
        return 1

    def prepare(self, data: ExperimentData, learning: Learning) -> TeacherData:
        """Return the data of each network."""
        return TeacherData(networks_of(data, learning, learning.taught.teacher))

    def depends_on(self, data: TeacherData, learning: Learning, device: str) -> dict[str, Any]:
        """Return what each model depends on: the same whichever modality is called the target."""
        return {
            "parts": [depends_on(part, learning, device) for part in data.parts],
            "members": learning.taught.members,
        }

    def train_one(
        self, data: TeacherData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train the teacher of a seed: the same networks as teach the student of this seed."""
        with one_thread():
            members = train_members(data.parts, learning, variant.seed, device, variant.name)
            runs = [run for own in members for run in own]
            weights = {
                f"{place}/{name}": tensor
                for place, run in enumerate(runs)
                for name, tensor in state_of(run.network).items()
            }
            return TrainedModel(variant, weights, np.zeros((0, len(CURVES))), mean_predictions(members))

    def about(self, data: TeacherData) -> dict[str, Any]:
        """Return the sizes of the networks of a member, and which views each reads."""
        return {
            "version": self.version,
            "sizes": [part.sizes.said() for part in data.parts],
            "orders": [list(part.order) for part in data.parts],
        }

    def predictor(
        self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]
    ) -> WeightedMean:
        """Return the mean of all networks."""
        places = sorted({int(name.partition("/")[0]) for name in weights[0]})
        networks = []
        for place in places:
            kind = place % len(about["sizes"])  # member by member, each with all parts
            start = f"{place}/"
            own = [
                {key.removeprefix(start): tensor for key, tensor in each.items() if key.startswith(start)}
                for each in weights
            ]
            sizes = sizes_from(about["sizes"][kind])
            networks.append(Ensemble.of(own, sizes, about["orders"][kind]))
        return WeightedMean(tuple(networks), (1 / len(networks),) * len(networks))


LEARNER = Teacher()
