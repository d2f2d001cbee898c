"""All experiments go to the workers as one list: the longest first, none opened before it is wanted."""

import dataclasses
import logging
import threading
import weakref
from dataclasses import dataclass, field

import pytest

from pipeline.learning import training_list as module
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.progress import mark_epoch
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.random_forest import RandomForest
from pipeline.learning.trained_model import TrainingError
from pipeline.learning.training import Training
from pipeline.learning.training_list import AHEAD, Plan, train_list
from pipeline.running.errors import place_of
from pipeline.running.workshop import Workshop
from pipeline.store.units import StoreError
from tests.learning.synthetic import MemoryCache, learning, shop
from tests.learning.systems.emobed.test_training import data

SETTINGS = learning(optimiser={"epochs": 2}, alpha=[0.0, 0.3], beta=[0.0])
"""Of classic and joint, 2 seeds each: 4 models, 8 epochs."""


@dataclass(eq=False)
class Opened:
    """An experiment."""

    name: str
    trainings: list[Training] = field(default_factory=list)


def given(number: int):
    """Return data that differ by how far labels were moved."""
    return dataclasses.replace(data(), delay_frames=number)


def opened(number: int, store: MemoryCache, learner=EmoBed) -> Opened:
    training = Training.begin(learner(), given(number), SETTINGS, store, "cpu")
    return Opened(f"experiment {number}", [training])


def plan(experiments: int) -> Plan:
    return Plan.of([EmoBed()], SETTINGS, experiments)


def bytes_of(experiment: Opened) -> list[bytes]:
    return [unit_to_bytes(model) for own in experiment.trainings for model in own.finished()]


def alone(seed: int) -> list[bytes]:
    """Return the models of an experiment trained by itself."""
    one = opened(seed, MemoryCache({}))
    train_list([one], lambda _: None, plan(1))
    return bytes_of(one)


@pytest.mark.parametrize("workers", [1, 2])
def test_several_experiments_are_one_call_of_the_back_end(monkeypatch, workers):
    calls = []

    def spied(self, function, common, tasks):
        calls.append(self.workers)
        return original(self, function, common, tasks)

    original = Workshop.run_tasks
    monkeypatch.setattr(Workshop, "run_tasks", spied)
    store, finished = MemoryCache({}), {}
    own = shop(store, workers=workers)
    every = (opened(seed, store) for seed in range(3))
    train_list(every, lambda one: finished.update({one.name: bytes_of(one)}), plan(3), own, 2)
    assert calls == ([2] if workers == 2 else [])
    assert finished == {f"experiment {seed}": alone(seed) for seed in range(3)}
    assert store.puts == 3 * 4


@pytest.mark.parametrize("workers", [1, 2])
def test_what_experiments_have_in_common_is_trained_once(workers):
    """Classic knows nothing of the auxiliary data: two scenarios of one target have the same models."""
    store, finished = MemoryCache({}), []

    def experiments():
        for seed in (1, 2, 3):
            training = Training.begin(EmoBed(), data(seed=seed), SETTINGS, store, "cpu")
            yield Opened(f"experiment {seed}", [training])

    train_list(experiments(), lambda one: finished.append(one), plan(3), shop(store, workers=workers), 1)
    assert store.puts == 2 + 3 * 2
    assert len(finished) == 3
    assert all(len(bytes_of(one)) == 4 for one in finished)
    assert len({payload for one in finished for payload in bytes_of(one)}) == 8


def test_the_longest_programs_of_those_that_are_open_come_first():
    """Also where they are of a later experiment, within what is opened ahead."""
    sizes = []

    class Spy(EmoBed):
        def programs(self, data, learning, variants, capacity):
            counts = (1, 3) if data.delay_frames else (2, 2)
            found = iter(variants)
            return [[next(found) for _ in range(count)] for count in counts]

        def train(self, data, learning, program, device, marks):
            sizes.append(len(program))
            return super().train(data, learning, program, device, marks)

    store = MemoryCache({})
    train_list((opened(seed, store, Spy) for seed in range(2)), lambda _: None, plan(2))
    assert sizes == sorted(sizes, reverse=True)
    assert len(sizes) == 4


def test_experiments_are_opened_as_they_are_wanted_and_let_go_when_they_are_finished():
    alive: list[weakref.ref] = []
    most = []

    def experiments():
        for seed in range(12):
            one = opened(seed, store)
            alive.append(weakref.ref(one))
            most.append(sum(ref() is not None for ref in alive))
            yield one
            del one

    store = MemoryCache({})
    finished = []
    train_list(experiments(), lambda one: finished.append(one.name), plan(12), shop(store), 4)
    assert len(finished) == 12
    assert max(most) <= AHEAD + 2  # one program each


def test_what_the_store_holds_is_finished_without_a_worker(monkeypatch, caplog):
    store = MemoryCache({})
    train_list((opened(seed, store) for seed in range(3)), lambda _: None, plan(3), shop(store))
    puts, expected = store.puts, [alone(seed) for seed in range(3)]
    monkeypatch.setattr(Workshop, "run_tasks", lambda *_: pytest.fail("nothing is left to do"))
    monkeypatch.setattr(module, "_train", lambda *_: pytest.fail("nothing is left to do"))
    caplog.set_level(logging.INFO)
    finished = []
    every = (opened(seed, store) for seed in range(3))
    train_list(every, lambda one: finished.append(bytes_of(one)), plan(3), shop(store, workers=2))
    assert finished == expected
    assert store.puts == puts
    assert caplog.messages == ["classic, joint: 4 of 4 models are in the store"] * 3


class Fails(EmoBed):
    """Cannot train experiments whose labels were moved by 7 frames."""

    def train(self, data, learning, program, device, marks):
        if data.delay_frames == 7:
            raise TrainingError(f"{program[0].name}: the loss is nan")
        return super().train(data, learning, program, device, marks)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_names_the_experiment_and_what_is_finished_is_kept(workers):
    store = MemoryCache({})
    bad = opened(7, store, Fails)
    good = opened(1, store, Fails)
    with pytest.raises(TrainingError, match="the loss is nan") as caught:
        train_list([good, bad], lambda _: None, plan(2), shop(store, workers=workers), 4)
    assert place_of(caught.value) == "experiment 7: "
    assert store.puts in (0, 2, 4)  # the other one was before it, or at work beside it
    again = opened(1, store)
    train_list([again], lambda _: None, plan(1), shop(store))
    assert bytes_of(again) == alone(1)
    assert store.puts == 4


def test_an_error_on_opening_reaches_who_asks_with_its_place():
    def experiments():
        yield from (opened(seed, store) for seed in range(2))
        raise ValueError("no train recording with target features has labels for valence")

    store = MemoryCache({})
    with pytest.raises(ValueError, match="no train recording"):
        train_list(experiments(), lambda _: None, plan(3), shop(store, workers=2), 1)


def test_a_killed_list_goes_on_where_it_stopped():
    class Killed(MemoryCache):
        def put(self, kind, key, payload):
            if self.puts == 5:
                raise KeyboardInterrupt
            super().put(kind, key, payload)

    store = Killed({})
    with pytest.raises(KeyboardInterrupt):
        train_list(
            (opened(seed, store) for seed in range(3)),
            lambda _: None, plan(3), shop(store, workers=2), 1,
        )  # fmt: skip
    resumed, finished = MemoryCache(store.units), {}
    train_list(
        (opened(seed, resumed) for seed in range(3)),
        lambda one: finished.update({one.name: bytes_of(one)}), plan(3), shop(resumed), 1,
    )  # fmt: skip
    assert resumed.puts == 12 - 5
    assert finished == {f"experiment {seed}": alone(seed) for seed in range(3)}


def test_workers_end_with_the_list_and_what_they_still_write_hides_no_error(recwarn):
    """An error keeps its traceback, and that all that is alive in the list."""

    class Restless(EmoBed):
        def train(self, data, learning, program, device, marks):
            if data.delay_frames == 0:
                return super().train(data, learning, program, device, marks)
            for turn in range(30_000):
                mark_epoch(marks.with_name(f"{marks.name}_{turn}"))
            raise TrainingError("the list goes on")

    class Full(MemoryCache):
        def put(self, kind, key, payload):
            raise StoreError("the disk is full")

    store = Full({})
    with pytest.raises(StoreError, match="the disk is full") as caught:
        train_list(
            (opened(number, store, Restless) for number in range(3)),
            lambda _: None, plan(3), shop(store, workers=2), 1,
        )  # fmt: skip
    assert caught.tb is not None
    assert not any(thread.name.startswith("ExecutorManager") for thread in threading.enumerate())
    assert not [str(own.message) for own in recwarn if "cancelled" in str(own.message)]


def test_a_plan_counts_what_the_parameters_ask_for():
    own = learning(systems=["classic", "joint", "random_forest"], optimiser={"epochs": 2}, alpha=[0.0, 0.3])
    forests = len(RandomForest().variants(own))
    found = Plan.of([EmoBed(), RandomForest()], own, 5)
    assert found == Plan({"classic": 8, "random_forest": forests}, 4 + forests, 5)
