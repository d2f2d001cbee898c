import logging

import pytest

from pipeline.learning import progress as module
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.progress import Progress, duration, mark_epoch, watched
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.train_models import train_models
from tests.learning.synthetic import learning
from tests.learning.test_training import GRID, data


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_epochs_are_counted_for_each_model_and_the_rest_is_estimated(tmp_path):
    clock = Clock()
    progress = Progress([3, 2], 10, tmp_path, later=100, clock=clock)
    clock.now += 60
    assert progress.sentence() is None
    mark_epoch(progress.marks(0))
    mark_epoch(progress.marks(1))
    assert (progress.done(), progress.total) == (5, 50)
    # 5 epochs in 60 s: 12 s each, 45 and then 100 to go
    assert progress.sentence() == (
        "5 models x 10 epochs: 10 % done, about 9 min left, and 20 min for what follows"
    )
    progress.finish(1)  # stopped early
    assert progress.done() == 3 + 20
    for _ in range(12):
        mark_epoch(progress.marks(0))
    assert progress.done() == 50
    assert "100 % done, about 0 s left" in progress.sentence()


def test_a_log_gets_the_first_estimate_and_then_a_line_every_half_minute(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    clock = Clock()
    progress = Progress([1], 4, tmp_path, clock=clock)
    progress.say(has_bar=False)
    assert not caplog.records
    mark_epoch(progress.marks(0))
    for seconds, lines in ((10, 1), (20, 1), (10, 2), (1, 2)):
        clock.now += seconds
        progress.say(has_bar=False)
        assert len(caplog.records) == lines
    with_bar = Progress([1], 4, tmp_path, clock=clock)
    for _ in range(3):  # a bar says the rest
        clock.now += 100
        with_bar.say(has_bar=True)
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (40.4, "40 s"), (720, "12 min"), (12_600, "3.5 h"), (100_000, "28 h"), (1.55e6, "18 days")],
)
def test_durations_are_rough(seconds, text):
    assert duration(seconds) == text


def test_marks_change_no_byte_of_the_models(tmp_path):
    without = train_program(data(), learning(), GRID[:3])
    marked = train_program(data(), learning(), GRID[:3], marks=tmp_path / "marks")
    assert [unit_to_bytes(model) for model in marked] == [unit_to_bytes(model) for model in without]
    assert (tmp_path / "marks").stat().st_size == 4
    train_program(data(), learning(), GRID[:1], marks=tmp_path / "no such folder" / "marks")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_grid_is_watched_wherever_its_programs_run(monkeypatch, workers):
    seen = []

    class Seen(Progress):
        def finish(self, program):
            seen.append((program, self._marked(program)))
            super().finish(program)

    monkeypatch.setattr(module, "Progress", Seen)
    models = train_models(
        EmoBed(), data(), learning(), workers=workers, models_at_once=4, experiments_after=2
    )
    assert len(models) == 8
    assert sorted(seen) == [(0, 4), (1, 4)]


def test_the_watcher_ends_with_the_training_and_leaves_nothing(monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.001)
    folders = []

    def stopped():
        with watched([2], 3) as progress:
            mark_epoch(progress.marks(0))
            folders.append(progress.marks(0).parent)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert not folders[0].exists()
    assert not [thread for thread in module.threading.enumerate() if thread.name.startswith("emobed")]
