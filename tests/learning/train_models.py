"""One learner and its data -> its trained models: a list of one experiment."""

from __future__ import annotations

from typing import Any, NamedTuple

from pipeline.learning.learner import Learner
from pipeline.learning.trained_model import TrainedModel
from pipeline.learning.training import Training
from pipeline.learning.training_list import Plan, train_list
from pipeline.params import Learning
from pipeline.running.device import resolve
from pipeline.running.workshop import Workshop


class _Alone(NamedTuple):
    name: str
    trainings: tuple[Training, ...]


def train_models(
    learner: Learner,
    data: Any,
    learning: Learning,
    shop: Workshop | None = None,
    models_at_once: int | None = None,
    metric: str = "score",
) -> list[TrainedModel]:
    """Train the models that the store does not hold; return all, in the learner's order.

    data: as the learner prepared them. shop, models_at_once, metric: as in `train_list`; without a shop
    nothing is kept.

    Raises:
        ClusterError: the cluster cannot be used.
        TrainingError: a loss or gradient is not finite, or a GPU's memory too small.
    """
    device = resolve(shop.device) if shop else "cpu"
    training = Training.begin(learner, data, learning, shop.store if shop else None, device)
    experiment, plan = _Alone("", (training,)), Plan.of([learner], learning)
    train_list([experiment], lambda _: None, plan, shop, models_at_once, metric)
    return training.finished()
