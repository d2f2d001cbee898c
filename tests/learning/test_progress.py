import logging
import math

import pytest

from pipeline.learning import progress as module
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.progress import MARK, Progress, mark_epoch, watched
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.trained_model import CURVES
from tests.learning.synthetic import learning, shop
from tests.learning.systems.emobed.test_training import GRID, data
from tests.learning.train_models import train_models


@pytest.fixture
def clock(monkeypatch):
    """Return a clock that stands until `now` is moved, in whose time marks are made."""

    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    own = Clock()
    monkeypatch.setattr(module.time, "time", own)
    return own


def of(folder, clock, sizes, epochs, **about):
    """Return the progress of programs of one kind, all of them added."""
    progress = Progress({"nets": sum(sizes) * epochs}, sum(sizes), folder, clock=clock, **about)
    for size in sizes:
        progress.add("nets", size, epochs, "audio+video.arousal")
    return progress


def test_epochs_are_counted_for_each_model_and_the_rest_is_estimated(tmp_path, clock):
    progress = Progress({"nets": 50 + 100}, 15, tmp_path, at_once=2, clock=clock)
    assert [progress.add("nets", size, 10) for size in (3, 2)] == [0, 1]
    clock.now += 60  # two processes start, and import torch
    assert (progress.done(), progress.total, progress.unit) == (0, 150, "epochs of 15 models")
    assert progress.note() == "in the first epoch"
    for program in (0, 1):
        mark_epoch(progress.marks(program))
    assert progress.done() == 5
    assert progress.note() == ""  # the start says nothing of what an epoch takes
    clock.now += 6
    mark_epoch(progress.marks(0))
    clock.now += 2
    mark_epoch(progress.marks(1))
    # 6 s for 3 models, 8 s for 2: 3 s for each on the average; 40 epochs here and 100 to come, two at once
    assert progress.note() == "about 4 min left"
    progress.leave_out("nets", 100)  # they are in the store
    assert progress.done() == 110
    assert progress.note() == "about 72 s left"  # 8 epochs of 3 models are the most that is left
    progress.finish(1, 68.0)  # stopped early
    assert progress.done() == 3 * 2 + 20 + 100
    for _ in range(12):
        mark_epoch(progress.marks(0))
    assert progress.done() == 150
    assert progress.note().startswith("about 0 s left")


def test_the_start_of_processes_does_not_make_the_first_estimates_too_high(tmp_path, clock):
    """What all models take, 20 epochs of 2 s, is said within a tenth after two of them."""
    progress = of(tmp_path, clock, [4], 20)
    clock.now += 30
    for _ in range(2):
        clock.now += 2
        mark_epoch(progress.marks(0))
    assert progress.note() == "about 36 s left"


def test_programs_that_wait_count_as_those_at_work(tmp_path, clock):
    progress = of(tmp_path, clock, [2, 2, 2, 2], 10, at_once=2)
    for program in (0, 1):
        for _ in range(5):
            mark_epoch(progress.marks(program))
            clock.now += 1
        clock.now -= 5
    clock.now += 4
    # 1 s an epoch, two at once: 5 for those at work, then 10 for the two that wait
    assert progress.note() == "about 15 s left"


def test_programs_without_marks_are_estimated_by_those_that_are_finished(tmp_path, clock):
    progress = of(tmp_path, clock, [1, 1, 1, 1], 1, at_once=2)
    progress.finish(0, 18.0)
    progress.finish(1, 22.0)
    assert progress.note() == "about 20 s left"


def test_each_kind_has_a_pace_of_its_own(tmp_path, clock):
    """An epoch of a network says nothing of what a forest takes, which is one of one epoch."""
    progress = Progress({"nets": 20, "forests": 3}, 5, tmp_path, clock=clock)
    nets, forest = progress.add("nets", 2, 10), progress.add("forests", 1, 1)
    for _ in range(3):
        mark_epoch(progress.marks(nets))
        clock.now += 2
    # 14 epochs of 1 s; of forests nothing is known yet
    assert progress.note() == "about 17 s left"
    progress.finish(forest, 30.0)
    assert progress.note() == "about 74 s left"


def test_the_best_dev_score_is_that_of_any_model_with_the_names_of_metric_and_experiment(tmp_path, clock):
    progress = Progress({"nets": 6}, 2, tmp_path, metric="CCC", clock=clock)
    for experiment in ("audio+video.arousal", "audio+video.valence"):
        progress.add("nets", 1, 3, experiment)
    mark_epoch(progress.marks(0), -math.inf)  # no labels in dev
    assert progress.best() is None
    mark_epoch(progress.marks(1), 0.6125)
    mark_epoch(progress.marks(0), -0.02)
    assert progress.note().endswith("best dev CCC .613 (audio+video.valence)")
    clock.now += 100
    assert progress.result() == "2 models trained in 2 min, best dev CCC .613 (audio+video.valence)"


def test_a_mark_that_is_being_written_is_not_read(tmp_path, clock):
    progress = of(tmp_path, clock, [1], 3)
    mark_epoch(progress.marks(0), 0.5)
    with progress.marks(0).open("ab") as file:
        file.write(MARK.pack(0.0, 0.9)[:11])
    assert (progress.done(), progress.best()) == (1, (0.5, "audio+video.arousal"))


def test_marks_change_no_byte_of_the_models(tmp_path):
    without = train_program(data(), learning(), GRID[:3])
    marked = train_program(data(), learning(), GRID[:3], marks=tmp_path / "marks")
    assert [unit_to_bytes(model) for model in marked] == [unit_to_bytes(model) for model in without]
    marks = [best for _, best in MARK.iter_unpack((tmp_path / "marks").read_bytes())]
    curves = [model.curve[:, CURVES.index("dev_score")] for model in marked]
    assert marks == [max(curve[: epoch + 1].max() for curve in curves) for epoch in range(4)]
    train_program(data(), learning(), GRID[:1], marks=tmp_path / "no such folder" / "marks")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_grid_is_watched_wherever_its_programs_run(monkeypatch, caplog, workers):
    caplog.set_level(logging.INFO)
    seen = []

    class Seen(Progress):
        def finish(self, program, seconds):
            seen.append((program, len(self._programs[program].marked())))
            super().finish(program, seconds)

    monkeypatch.setattr(module, "Progress", Seen)
    models = train_models(
        EmoBed(),
        data(),
        learning(),
        shop(workers=workers),
        models_at_once=4,
        metric="CCC",
    )
    assert len(models) == 8
    assert sorted(seen) == [(0, 4), (1, 4)]
    best = max(model.curve[:, CURVES.index("dev_score")].max() for model in models)
    assert f"best dev CCC {best:.3f}".replace("0.", ".") in caplog.messages[-1]
    assert caplog.messages[0] == (
        "classic, joint, triplet, EmoBed: 0 of 8 models are in the store, 8 are trained, of 4 epochs each"
    )


def test_a_second_run_says_what_is_there_and_trains_nothing(caplog):
    caplog.set_level(logging.INFO)
    own, known = shop(), data()
    train_models(EmoBed(), known, learning(), own)
    caplog.clear()
    train_models(EmoBed(), known, learning(), own)
    assert caplog.messages == ["classic, joint, triplet, EmoBed: 8 of 8 models are in the store"]


def test_the_files_are_removed_and_nothing_is_said_of_a_training_that_was_stopped(caplog):
    caplog.set_level(logging.INFO)
    folders = []

    def stopped():
        with watched({"nets": 6}, 2) as progress:
            mark_epoch(progress.marks(progress.add("nets", 2, 3)))
            folders.append(progress.marks(0).parent)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not folders[0].exists()
    assert caplog.messages == []
