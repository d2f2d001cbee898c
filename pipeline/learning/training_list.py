"""Experiments -> their trained models: the programs of all of them go to the workers as one list.

No worker waits for another at the end of an experiment: only at the end of the list. Experiments are opened
as workers come to want their programs, and let go when they have all their models, so that memory does not
grow with their number.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from heapq import heappop, heappush
from itertools import chain, islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, Protocol, TypeVar

import torch

from pipeline.learning.capacity import Capacity
from pipeline.learning.learner import Learner
from pipeline.learning.progress import Progress, watched
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import TrainedModel, TrainingError
from pipeline.learning.training import Training
from pipeline.params import Learning
from pipeline.running.device import resolve
from pipeline.running.errors import placed
from pipeline.running.shared_tasks import Piece
from pipeline.running.workshop import Workshop

AHEAD = 4
"""Programs for each worker to choose the longest from; with fewer, the next experiment is opened."""

logger = logging.getLogger(__name__)


class Experiment(Protocol):
    """Something that needs models."""

    @property
    def name(self) -> str:
        """Return its name, which no other one has."""

    @property
    def trainings(self) -> Sequence[Training]:
        """Return what each learner has to give."""


Own = TypeVar("Own", bound=Experiment)


class Plan(NamedTuple):
    """What the parameters ask for, less what the store holds.

    epochs: of the models of an experiment, by learner. models: of an experiment. experiments: how many.
    """

    epochs: Mapping[str, int]
    models: int
    experiments: int

    @classmethod
    def of(cls, learners: Iterable[Learner], learning: Learning, experiments: int = 1) -> Plan:
        """Return that of some learners."""
        counts = {learner: len(learner.variants(learning)) for learner in learners}
        epochs = {kind_of(own): count * own.epochs(learning) for own, count in counts.items()}
        return cls(epochs, sum(counts.values()), experiments)


def kind_of(learner: Learner) -> str:
    """Return what a learner is called where its epochs are counted."""
    return learner.systems[0]


def train_list(
    experiments: Iterable[Own],
    finish: Callable[[Own], None],
    plan: Plan,
    shop: Workshop | None = None,
    models_at_once: int | None = None,
    metric: str = "score",
) -> None:
    """Train the models that experiments lack, and finish each as soon as it has all of them.

    experiments: opened one after the other, as `AHEAD` says, perhaps in another thread. finish: called with
    an experiment that has all its models. shop: where models are trained; its workers are processes of one
    thread each, or at least how many are kept busy on a cluster; None: this process. models_at_once: most
    models in one program; None: as many as are of use (`pipeline.learning.capacity`). metric: what the dev
    score of the learning curves is called, for the log.

    Raises:
        ClusterError: the cluster cannot be used.
        TrainingError: a loss or gradient is not finite, or a GPU's memory too small.
    """
    device = resolve(shop.device) if shop else "cpu"
    workers, cluster = (shop.workers, shop.scheduler is not None) if shop else (1, False)
    alone = not cluster and (workers == 1 or device == "cuda")
    planned = {kind: epochs * plan.experiments for kind, epochs in plan.epochs.items()}
    at_once = 1 if alone else workers
    with watched(planned, plan.models * plan.experiments, metric, at_once) as progress:
        listed = _List(finish, plan, progress, device, cluster, workers, models_at_once)
        tasks = listed.programs(experiments)
        first = list(islice(tasks, 2))
        tasks = chain(first, tasks)
        finished: Generator[tuple[int, float, list[TrainedModel]], None, None]
        if shop is None or alone or (len(first) < 2 and not cluster):
            finished = (_train(piece.shared.value, piece.own) for piece in tasks)
        else:
            finished = shop.run_tasks(_train, (), tasks)
        with closing(finished):  # an error's traceback would keep it, and the workers, at work
            for number, seconds, models in finished:
                progress.finish(number, seconds)
                listed.keep(number, models)


class _List:
    """Programs of experiments, the longest of some first, and whose they are."""

    def __init__(
        self,
        finish: Callable[[Any], None],
        plan: Plan,
        progress: Progress,
        device: str,
        cluster: bool,
        workers: int,
        models_at_once: int | None,
    ) -> None:
        self._finish, self._plan, self._progress = finish, plan, progress
        self._device, self._cluster = device, cluster
        self._workers, self._models_at_once = workers, models_at_once
        self._trainings: dict[int, Training] = {}
        self._wanted: dict[str, list[tuple[Any, Training]]] = {}
        self._left: dict[str, int] = {}
        self._lock = Lock()  # programs may be asked for in another thread than they are kept in

    def programs(self, experiments: Iterable[Experiment]) -> Iterator[Piece]:
        """Give the programs that are to be trained."""
        waiting: list[tuple[int, int, Piece]] = []
        for experiment in experiments:
            with placed(experiment.name):
                for size, number, piece in self._open(experiment):
                    heappush(waiting, (-size, number, piece))
            while len(waiting) >= AHEAD * self._workers:
                yield heappop(waiting)[2]
        while waiting:
            yield heappop(waiting)[2]

    def _open(self, experiment: Experiment) -> list[tuple[int, int, Piece]]:
        """Return the programs of an experiment with their sizes, epochs of all models, and their numbers."""
        found = []
        spared = dict(self._plan.epochs)
        for training in experiment.trainings:
            logger.info("%s", training.said())
        for training, variants in self._divided(experiment):
            kind = kind_of(training.learner)
            spared[kind] -= len(variants) * training.epochs
            for program in self._programs_of(training, variants):
                number = self._progress.add(kind, len(program), training.epochs, experiment.name)
                self._trainings[number] = training
                # workers of a cluster may be elsewhere: their epochs are counted when a program is finished
                marks = None if self._cluster else self._progress.marks(number)
                own = (number, experiment.name, program, marks, self._device)
                found.append((len(program) * training.epochs, number, Piece(training.shared, own)))
        for kind, epochs in spared.items():
            self._progress.leave_out(kind, epochs)
        return found

    def _divided(self, experiment: Experiment) -> list[tuple[Training, list[Variant]]]:
        """Return the models that nobody in the list is to train yet, and wait for all that are missing.

        Experiments may have some in common, such as classic's of two scenarios with one target.
        """
        left, found = 0, []
        with self._lock:
            for training in experiment.trainings:
                missing = training.missing
                own = [variant for variant in missing if training.keys[variant] not in self._wanted]
                for variant in missing:
                    self._wanted.setdefault(training.keys[variant], []).append((experiment, training))
                left += len(missing)
                found.append((training, own))
            self._left[experiment.name] = left
        if not left:
            self._finish(experiment)
        return found

    def _programs_of(self, training: Training, missing: Sequence[Variant]) -> list[list[Variant]]:
        if not missing:
            return []
        capacity = Capacity.of(self._device, self._workers, self._models_at_once)
        return training.learner.programs(training.data, training.learning, missing, capacity)

    def keep(self, number: int, models: Sequence[TrainedModel]) -> None:
        """Take the models of a program, and finish the experiments of which one is the last."""
        training = self._trainings.pop(number)
        training.keep(models)
        complete = []
        with self._lock:
            for model in models:
                for experiment, other in self._wanted.pop(training.keys[model.variant]):
                    other.models[model.variant] = model
                    self._left[experiment.name] -= 1
                    if not self._left[experiment.name]:
                        complete.append(experiment)
        for experiment in complete:
            with placed(experiment.name):
                self._finish(experiment)


def _train(
    shared: tuple[Learner, Any, Learning], own: tuple[int, str, Sequence[Variant], Path | None, str]
) -> tuple[int, float, list[TrainedModel]]:
    """Train a program; returns its number, the seconds that it took, and its models."""
    learner, data, learning = shared
    number, experiment, program, marks, device = own
    begun = time.perf_counter()
    with placed(experiment):
        try:
            models = learner.train(data, learning, program, device, marks)
        except torch.OutOfMemoryError:
            raise TrainingError(
                f"the GPU's memory does not hold {len(program)} models at once: set runtime.models_at_once "
                "to a smaller number, or end what else uses it; what is finished is kept"
            ) from None
    return number, time.perf_counter() - begun, models
