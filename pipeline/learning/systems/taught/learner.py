"""`taught`: a teacher of all modalities teaches a network of the target on recordings without labels.

Privileged distillation (Lopez-Paz et al., arXiv 1511.03643; Hinton et al., arXiv 1503.02531): at use the
student needs the target alone. `weight` of the teacher is the setting, chosen on dev. Each seed has a teacher
of its own, which learns from the labels that are seen and from nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.learning.batches import steps_per_epoch
from pipeline.learning.capacity import Capacity
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant, by_seed, setting_of, setting_values
from pipeline.learning.systems.taught.lessons import Lesson, lessons_of
from pipeline.learning.systems.taught.student import Student
from pipeline.learning.systems.taught.teacher import said_of, train_members
from pipeline.learning.torch_learner import TorchLearner, depends_on, loop_data, state_of
from pipeline.learning.torch_loop import LoopData
from pipeline.learning.trained_model import TrainedModel
from pipeline.params import Learning
from pipeline.params.systems import TeacherKind
from pipeline.running.one_thread import one_thread

VERSION = 1
"""Raised when the same data and parameters would give other models."""


@dataclass(frozen=True)
class TaughtData:
    """What the student learns from labels, and its lessons. kind: of its teachers."""

    student: LoopData
    lessons: tuple[Lesson, ...]
    kind: TeacherKind

    @property
    def evaluation(self) -> Sequences:
        """Return what is predicted."""
        return self.student.evaluation


class Taught(TorchLearner):
    """Students, each with its teacher."""

    system = "taught"
    version = VERSION

    def kind(self, learning: Learning) -> TeacherKind:
        """Return what the teachers read."""
        return learning.taught.teacher

    def settings(self, learning: Learning) -> list[str]:
        """Return one setting per weight of the teacher."""
        return [setting_of(weight=weight) for weight in sorted(learning.taught.weight)]

    def prepare(self, data: ExperimentData, learning: Learning) -> TaughtData:
        """Return the target's labelled sequences and the lessons; a step sees as many of both.

        Raises:
            LeftOutError, ValueError: see `lessons_of`.
        """
        view, kind = data.views["target"], self.kind(learning)
        lessons = lessons_of(data, learning, kind, self.system)
        student = loop_data(view.sequences, [len(view.features)], data, learning)
        count = sum(len(lesson.student) for lesson in lessons)
        # an epoch sees all that is taught: the same for every kind of teacher
        steps = max(student.steps, steps_per_epoch(count, 0, learning.optimiser.batch))
        return TaughtData(dataclasses.replace(student, steps=steps), tuple(lessons), kind)

    def depends_on(self, data: TaughtData, learning: Learning, device: str) -> dict[str, Any]:  # type: ignore[override]
        """Return what each model depends on."""
        return {
            "student": depends_on(data.student, learning, device),
            "teachers": [
                {
                    "parts": [depends_on(part, learning, device) for part in lesson.parts],
                    "pools": [pool.sha256() for pool in (*lesson.pools, lesson.student)],
                }
                for lesson in data.lessons
            ],
            "kind": data.kind,
            "taught": learning.taught.model_dump(mode="json", exclude={"teacher", "weight"}),
        }

    def programs(
        self, data: Any, learning: Learning, variants: Sequence[Variant], capacity: Capacity
    ) -> list[list[Variant]]:
        """Return the models of each seed: they share their teachers."""
        return by_seed(variants)

    def train(
        self,
        data: TaughtData,
        learning: Learning,
        program: Sequence[Variant],
        device: str,
        marks: Path | None,
    ) -> list[TrainedModel]:
        """Train the teachers of a seed, then a student for each weight."""
        seed, models = program[0].seed, []
        with one_thread():
            said = [
                said_of(
                    train_members(lesson.parts, learning, seed, device, program[0].name), lesson.pools
                )
                for lesson in data.lessons
            ]  # fmt: skip
            pools = [lesson.student for lesson in data.lessons]
            for variant in program:
                run = Student(data.student, pools, said, learning, seed, device, variant.name)
                # epochs are counted once, of the last student
                own = marks if variant is program[-1] else None
                curve = run.run(setting_values(variant.setting)["weight"], own)
                models.append(TrainedModel(variant, state_of(run.network), curve, run.predictions()))
        return models

    def train_one(  # type: ignore[override]
        self, data: TaughtData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Train the models of one variant."""
        return self.train(data, learning, [variant], device, marks)[0]

    def about(self, data: TaughtData) -> dict[str, Any]:  # type: ignore[override]
        """Return the sizes of the student; the teacher is needed no more."""
        return super().about(data.student)


LEARNER = Taught()
