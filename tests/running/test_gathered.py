"""What processes log comes out in the log of who asks; what they import ahead is there for their tasks."""

import logging
import sys

import pytest

from pipeline.running.gathered import gathered, repeat
from pipeline.running.parallel import begin, run_guarded, run_tasks
from pipeline.running.shared_tasks import Piece, Shared


def speak(text: str, number: int) -> int:
    logger = logging.getLogger("pipeline.spoken")
    logger.debug("nobody asked for %d", number)
    logger.info("%s %d", text, number)
    if number == 2:
        logger.warning("two, %s", lambda: None)  # an argument that cannot travel
    return number


def speak_and_fail(text: str) -> float:
    logging.getLogger("pipeline.spoken").warning("%s", text)
    return 1 / 0


def powers(exponent: int, base: int, added: int) -> int:
    return base**exponent + added


@pytest.mark.parametrize("run", [run_tasks, run_guarded])
def test_what_workers_log_is_logged_here_once(caplog, run):
    caplog.set_level(logging.INFO)
    assert sorted(run(speak, ("hello",), [1, 2], workers=2)) == [1, 2]
    said = [record for record in caplog.records if record.name == "pipeline.spoken"]
    assert sorted(record.getMessage() for record in said if record.levelname == "INFO") == [
        "hello 1",
        "hello 2",
    ]
    (warned,) = [record.getMessage() for record in said if record.levelname == "WARNING"]
    assert warned.startswith("two, <function")
    assert len(said) == 3


def test_what_a_guarded_task_logs_before_it_throws_is_logged_here(caplog):
    with pytest.raises(ZeroDivisionError):
        list(run_guarded(speak_and_fail, (), ["the last words"], workers=1))
    assert "the last words" in caplog.messages


def test_nothing_is_said_here_that_nobody_wants(caplog):
    caplog.set_level(logging.WARNING)
    list(run_tasks(speak, ("hello",), [1], workers=2))
    assert [record for record in caplog.records if record.name == "pipeline.spoken"] == []


def test_gathering_leaves_the_log_as_it_was(caplog):
    caplog.set_level(logging.WARNING)
    root = logging.getLogger()
    before = root.level, list(root.handlers)
    with gathered() as records:
        speak("inside", 1)
    assert (root.level, list(root.handlers)) == before
    assert [record.getMessage() for record in records] == ["inside 1"]
    caplog.set_level(logging.INFO)
    repeat(records)
    assert caplog.messages == ["inside 1"]


def test_processes_import_ahead_what_their_tasks_need(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begin("tests.running.imported_ahead", 2)
    assert sorted(run_tasks(powers, (2, 3), range(4), workers=2)) == [9, 10, 11, 12]
    assert (tmp_path / "imported_ahead").is_file()
    assert "tests.running.imported_ahead" not in sys.modules


def test_what_cannot_be_imported_ahead_is_said_when_work_comes():
    begin("no_such_module_of_ours", 2)
    with pytest.raises(ModuleNotFoundError, match="no_such_module_of_ours"):
        list(run_tasks(powers, (2, 3), [1], workers=2))
    assert list(run_tasks(powers, (2,), [], workers=2)) == []  # and no more


def test_pieces_get_what_they_share():
    two, three = Shared(2), Shared(3)
    pieces = [Piece(two, 0), Piece(three, 0), Piece(two, 1)]
    assert sorted(run_tasks(powers, (2,), pieces, workers=2)) == [4, 5, 9]
