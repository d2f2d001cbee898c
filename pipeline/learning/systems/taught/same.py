"""The control `taught_same`: what a student gains when its teacher knows nothing of another modality."""

from __future__ import annotations

from pipeline.learning.systems.taught.learner import Taught
from pipeline.params import Learning
from pipeline.params.systems import TeacherKind


class TaughtBySame(Taught):
    """Students whose teachers read the target alone; recordings, steps and settings are those of `taught`."""

    system = "taught_same"

    def kind(self, learning: Learning) -> TeacherKind:
        """Return the target alone."""
        return "same"


LEARNER = TaughtBySame()
