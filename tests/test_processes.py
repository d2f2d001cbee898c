"""Tasks that die, hang or throw: they alone are lost, whoever works beside them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.running import guarded
from pipeline.running.guarded import Lost, run_here
from tests.deadly_tasks import alive, children, do, interruptible

HANGS = ("sleeps", "hangs")
DIES = {
    "crashes": "ended the process that read it (signal 11)",
    "aborts": "ended the process that read it (signal 6)",
    "is killed": "ended the process that read it (signal 9, for lack of memory perhaps)",
    "leaves": "ended the process that read it (exit code 3)",
}


@pytest.mark.parametrize("workers", [1, 2])
def test_what_dies_or_hangs_is_lost_and_all_others_are_done(tmp_path, workers):
    tasks = ["a", "crashes", "sleeps", "b", "aborts", "once", "hangs", "is killed", "leaves", "c"]
    found = list(run_here(do, (tmp_path,), tasks, workers=workers, time_limit=2.0))
    assert {item for item in found if isinstance(item, str)} == {"A", "B", "C", "ONCE"}
    lost = {item.task: item for item in found if isinstance(item, Lost)}
    assert {name: lost[name].reason for name in DIES} == DIES
    assert [lost[name] for name in HANGS] == [
        Lost(name, "took longer than 2 s (runtime.time_limit)") for name in HANGS
    ]
    assert len(found) == len(tasks)
    attempts = {name: len((tmp_path / name).read_text().split()) for name in tasks}
    # again, alone, whoever died; nobody waits twice for what hangs
    assert attempts == dict.fromkeys(tasks, 1) | dict.fromkeys([*DIES, "once"], 2)


def test_processes_are_used_again_also_after_one_died_while_it_waited(tmp_path):
    (first,) = run_here(os.getpgid, (), [0], workers=1)
    (tmp_path / "here").mkdir()
    list(run_here(do, (tmp_path,), "ab", workers=1))
    one, other = pids_of(tmp_path, "a"), pids_of(tmp_path, "b")
    assert one == other != [os.getpid()]
    os.kill(one[0], signal.SIGKILL)
    assert list(run_here(do, (tmp_path,), "c", workers=1)) == ["C"]
    assert pids_of(tmp_path, "c")[-1] != one[0]
    assert first == os.getpgid(0)  # Ctrl-C in a terminal reaches them all: they leave the answer to us


def pids_of(folder: Path, task: str) -> list[int]:
    return [int(pid) for pid in (folder / task).read_text().split()]


def test_nothing_to_do_starts_no_process(monkeypatch):
    monkeypatch.setattr(guarded, "_Worker", lambda: pytest.fail("started a process"))
    assert list(run_here(do, (), [], workers=2)) == []


@pytest.mark.parametrize(("task", "error"), [("throws", KeyError), ("interrupts", KeyboardInterrupt)])
def test_what_the_function_throws_is_thrown_and_nobody_works_on(tmp_path, task, error):
    with pytest.raises(error):
        list(run_here(do, (tmp_path,), ["sleeps", task, "c"], workers=2))
    assert not [pid for pid in pids_of(tmp_path, "sleeps") if lives_on(pid)]


def test_who_stops_asking_ends_the_work(tmp_path):
    outcomes = run_here(do, (tmp_path,), ["a", "sleeps", "b"], workers=2)
    assert next(outcomes) == "A"
    deadline = time.monotonic() + 60
    while not (tmp_path / "sleeps").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    outcomes.close()
    assert not [pid for pid in pids_of(tmp_path, "sleeps") if lives_on(pid)]


def lives_on(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive(pid)


def test_ctrl_c_reaches_a_terminal_s_processes_and_only_the_first_answers(tmp_path):
    """No traceback of a worker, whether it was at work or just starting, and none left."""
    code = (
        "import sys; from pathlib import Path; from tests import deadly_tasks as t\n"
        "from pipeline.running.guarded import run_here\n"
        "try: list(run_here(t.do, (Path(sys.argv[1]),), ['sleeps', 'hangs', 'c'], workers=2))\n"
        "except KeyboardInterrupt: print('interrupted'); sys.exit(130)\n"
    )
    for wait_for in ("", "sleeps"):
        folder = tmp_path / f"at {wait_for}"
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", code, folder],
            cwd=Path(__file__).parents[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=interruptible,
        )
        deadline = time.monotonic() + 60
        while len(children(process.pid)) < 3 and time.monotonic() < deadline:  # and loky's tracker
            time.sleep(0.01)
        while wait_for and len(list(folder.iterdir())) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        started = children(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert (out, err, process.returncode) == ("interrupted\n", "", 130), wait_for
        assert not [pid for pid in started if lives_on(pid)]


def test_ctrl_c_that_another_thread_catches_waits_until_a_process_is_started():
    over = threading.Event()
    threading.Thread(target=over.wait, daemon=True).start()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    started = []

    def start() -> None:
        with guarded._no_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
            started.append("process")

    try:
        with pytest.raises(KeyboardInterrupt):
            start()
        assert started
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    finally:
        signal.signal(signal.SIGINT, before)
        over.set()
