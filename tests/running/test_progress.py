"""How far work is: what is said, when, and where."""

from __future__ import annotations

import logging
import os
import pty
import subprocess
import sys
import termios
import threading
import time

import pytest

from pipeline.running import progress as module
from pipeline.running.progress import Counted, counted, duration, sentence, tracked
from tests.conftest import ROOT

WORK = """
import logging, sys, time
from pipeline.running import progress
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
progress.LOOK_EVERY, progress.SAY_EVERY = 0.01, 0.05
for item in progress.tracked(range(6), "extract_audio", "recordings", 6):
    time.sleep(0.05)
    if item == 3:
        logging.info("something else")
"""


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_time_left_goes_by_the_latter_half_of_the_time():
    clock = Clock()
    work = Counted("extract_audio", "recordings", 120, clock)
    assert sentence(work, 0) == "extract_audio: 0 of 120 recordings after 0 s"
    clock.now += 0.1
    work.advance(100)  # they were in the store
    clock.now += 60
    assert sentence(work, 60) == "extract_audio: 100 of 120 recordings after 60 s"
    for _ in range(10):
        clock.now += 30
        work.advance()
    assert sentence(work, 360) == "extract_audio: 110 of 120 recordings after 6 min, about 5 min left"


def test_where_nobody_knows_how_many_there_are_no_time_is_promised():
    work = Counted("read text.csv", "recordings", None)
    work.advance(1234)
    assert sentence(work, 100) == "read text.csv: 1,234 recordings after 2 min"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (40.4, "40 s"), (720, "12 min"), (12_600, "3.5 h"), (100_000, "28 h"), (1.55e6, "18 days")],
)
def test_durations_are_rough(seconds, text):
    assert duration(seconds) == text


def test_a_log_gets_whole_lines_while_the_work_goes_on_and_never_a_carriage_return(tmp_path):
    with (tmp_path / "log").open("wb") as log:
        subprocess.run([sys.executable, "-c", WORK], cwd=ROOT, stdout=log, stderr=log, check=True)
    written = (tmp_path / "log").read_bytes()
    assert b"\r" not in written
    lines = written.decode().splitlines()
    assert lines[0].startswith("INFO extract_audio: ")
    assert len([line for line in lines if " of 6 recordings after 0 s" in line]) >= 3
    assert lines.count("INFO something else") == 1


def test_a_terminal_gets_a_bar_and_lines_of_the_log_above_it():
    reader, writer = pty.openpty()
    termios.tcsetwinsize(writer, (24, 100))
    done = subprocess.Popen([sys.executable, "-c", WORK], cwd=ROOT, stdout=writer, stderr=writer)
    os.close(writer)
    shown = b""
    while True:
        try:
            block = os.read(reader, 4096)
        except OSError:  # the other end is closed
            break
        if not block:
            break
        shown += block
    os.close(reader)
    assert done.wait() == 0
    text = shown.decode()
    assert "6/6 recordings" in text
    assert "INFO extract_audio" not in text
    (line,) = [line for line in text.split("\n") if "something else" in line]
    assert line.split("\r")[-2].strip().endswith("INFO something else")


def test_the_watcher_ends_with_the_work_whatever_ends_it(monkeypatch):
    monkeypatch.setattr(module, "LOOK_EVERY", 0.001)

    def stopped():
        with counted("verify", "units") as advance:
            advance()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    for _ in tracked(range(3), "verify", "units"):
        break
    assert [t for t in threading.enumerate() if t.name == "emobed-progress"] == []


def test_each_item_counts_when_the_next_one_is_asked_for(monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(module, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(module, "SAY_EVERY", 0.0)
    items = tracked("ab", "verify", "units", 2)
    assert next(items) == "a"
    time.sleep(0.05)
    assert next(items) == "b"
    time.sleep(0.05)
    items.close()
    assert caplog.messages[0].startswith("verify: 0 of 2 units")
    assert caplog.messages[-1].startswith("verify: 1 of 2 units")
    assert list(tracked((), "verify", "units", 0)) == []
