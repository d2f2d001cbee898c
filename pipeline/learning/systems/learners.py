"""What trains each system: the only place above the systems that imports them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.learning.learner import Learner
from pipeline.learning.systems.early_fusion import EarlyFusion
from pipeline.learning.systems.emobed.learner import EmoBed, SameModality
from pipeline.learning.systems.late_fusion import LateFusion
from pipeline.learning.systems.model_fusion import ModelFusion
from pipeline.learning.systems.multi_task import MultiTask
from pipeline.learning.systems.random_forest import RandomForest
from pipeline.learning.systems.support_vectors import SupportVectors

LEARNERS: tuple[Learner, ...] = (
    EmoBed(),
    SameModality(),
    RandomForest(),
    SupportVectors(),
    MultiTask(),
    EarlyFusion(),
    LateFusion(),
    ModelFusion(),
)


def learner_of(system: str) -> Learner:
    """Return what trains a system of the table."""
    return next(learner for learner in LEARNERS if system in learner.systems)


def learners_of(systems: Sequence[str]) -> list[Learner]:
    """Return what trains some systems, each once."""
    return [learner for learner in LEARNERS if set(systems) & set(learner.systems)]
