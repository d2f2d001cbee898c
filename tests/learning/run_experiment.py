"""One experiment -> its files, by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.learning.dev_scores import SCORES
from pipeline.learning.experiment import open_experiment
from pipeline.learning.experiment_files import write_experiment
from pipeline.learning.systems.learners import learners_of
from pipeline.learning.training_list import Plan, train_list
from pipeline.params import Learning, Task
from pipeline.running.workshop import Workshop


def run_experiment(
    *,
    models_directory: Path,
    task: Task,
    learning: Learning,
    shop: Workshop | None = None,
    models_at_once: int | None = None,
    **opened: Any,
) -> None:
    """Train all models of one experiment and write its results.

    models_at_once: as in `train_list`. All else is as in `open_experiment`.

    Raises:
        ValueError: as `open_experiment`.
        TrainingError: a loss or gradient is not finite.
    """
    experiment = open_experiment(
        name=models_directory.name, models_directory=models_directory, task=task, learning=learning,
        shop=shop, **opened,
    )  # fmt: skip
    plan = Plan.of(learners_of(learning.systems), learning)
    train_list([experiment], write_experiment, plan, shop, models_at_once, SCORES[task])
