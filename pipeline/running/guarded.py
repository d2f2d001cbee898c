"""Tasks that may kill or hang the process that does them -> their results, or what became of them.

A decoder is C code that reads other people's bytes: it may end in a segmentation fault, take all memory, or
never return, with the interpreter's lock held. So each worker is a process with a pipe of its own: what dies
takes nothing along but the task it was given, and that one is known. Pools (joblib's, concurrent.futures')
give up as a whole when a process of theirs dies; the processes here are loky's, as joblib's are: a fresh
interpreter, which does not run the caller's program again.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

from pipeline.running.errors import in_words, way_to
from pipeline.running.gathered import gathered, repeat

IDLE = 300.0
"""Seconds after which a process without work ends; the next call of this process may use it until then."""
WATCH_EVERY = 1.0
"""Seconds between two looks whether the parent is there."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Lost(NamedTuple):
    """A task without a result, and why: a clause that follows the name of what was read."""

    task: Any
    reason: str


class _Died(NamedTuple):
    """How the process of a task ended, as `Process.exitcode` says it."""

    exit_code: int


class _Thrown(NamedTuple):
    """What the function of a task raised."""

    error: BaseException


def run_here(
    function: Callable[..., Any],
    common: tuple[Any, ...],
    tasks: Iterable[Any],
    *,
    workers: int,
    time_limit: float | None = None,
    folder: Path | None = None,
) -> Iterator[Any | Lost]:
    """Give `function(*common, task)` of each task as it is finished, in any order, or the task as `Lost`.

    A task whose process dies is done again when all others are done, alone, since another one may have taken
    the memory; if that process dies too, it is lost. What the function raises is raised here, and what it
    logs is logged here. No process is left at work, however this ends.

    time_limit: seconds after which a task's process is ended by the kernel and the task lost; None: never.
    folder: in which the tasks are done; None: that of this process.
    """
    died: list[Any] = []
    busy: dict[Connection, tuple[Any, _Worker]] = {}

    def start(task: Any, worker: _Worker) -> None:
        busy[worker.pipe] = task, worker
        worker.give((folder or Path.cwd(), time_limit, function, common, task))

    def finished(alone: bool = False) -> Iterator[Any | Lost]:
        for pipe in wait(list(busy)):
            task, worker = busy[pipe]  # type: ignore[index]
            outcome = worker.take()
            del busy[pipe]  # type: ignore[arg-type]
            if isinstance(outcome, _Thrown):
                raise outcome.error
            if not isinstance(outcome, _Died):
                yield outcome
            elif outcome.exit_code == -signal.SIGALRM:
                yield Lost(task, f"took longer than {time_limit:g} s (runtime.time_limit)")
            elif alone:
                yield Lost(task, f"ended the process that read it ({died_how(outcome.exit_code)})")
            else:
                died.append(task)

    try:
        for task in tasks:
            start(task, _waiting() or _Worker())
            if len(busy) >= workers:
                yield from finished()
        while busy:
            yield from finished()
        for task in died:
            start(task, _Worker())
            yield from finished(alone=True)
    finally:
        for _, worker in busy.values():
            worker.end()


_idle: list[_Worker] = []
"""Workers that wait: starting one takes as long as Python and its imports do."""


class _Worker:
    """A process that does one task after the other, as they come through its pipe.

    It ends with this process, be it killed, and when it is without work for long.
    """

    def __init__(self, ahead: Callable[[], None] | None = None) -> None:
        from joblib.externals.loky.backend.context import get_context

        self.pipe, there = Pipe()
        quiet = {} if os.environ.get("EMOBED_DEBUG") else {"PYTHONFAULTHANDLER": ""}
        self.process = get_context("loky").Process(
            target=_serve,
            args=(there, os.getpid(), ahead),
            env=dict.fromkeys(THREADS, "1") | quiet,
            daemon=True,
        )
        with _no_interrupt():
            self.process.start()
        there.close()

    def give(self, work: tuple[Any, ...]) -> None:
        """Send a task; if the process is dead, `take` says so."""
        from joblib.externals.loky.backend.reduction import dumps

        payload = dumps(work)
        with suppress(OSError):
            self.pipe.send_bytes(payload)

    def take(self) -> Any | _Thrown | _Died:
        """Wait for a task's result and return it, or why there is none."""
        try:
            answer = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return _Died(self.end())
        _idle.append(self)
        outcome, said = pickle.loads(answer)
        repeat(said)
        return outcome

    def end(self) -> int:
        """End the process, whatever it does, and return its exit code."""
        if self.process.is_alive():  # its number may be another's by now
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.pipe.close()
        return self.process.exitcode or 0


def start_ahead(ahead: Callable[[], None]) -> None:
    """Start a process that will be the first at work, unless one waits: it does `ahead` until work comes.

    ahead: importable; such as imports that take longer than finding out what there is to do.
    """
    if not _idle:
        _idle.append(_Worker(ahead))


def _waiting() -> _Worker | None:
    """Return a worker that waits for work, if there is one."""
    while _idle:
        worker = _idle.pop()
        if worker.process.is_alive():
            return worker
        worker.end()
    return None


def _serve(pipe: Connection, parent: int, ahead: Callable[[], None] | None = None) -> None:
    """Do tasks in this process until there are no more, and something before the first of them."""
    end_with(parent)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    if ahead is not None:
        ahead()
    with suppress(EOFError, OSError):  # the parent is no more
        while pipe.poll(IDLE):
            pipe.send_bytes(_answer(pipe.recv_bytes()))
    # at once: what libraries' threads still do must not end as a crash of the interpreter's end
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _answer(work: bytes) -> bytes:
    """Do a task and return its result, or `_Thrown`, and what it logged, as they travel."""
    from joblib.externals.loky.backend.reduction import dumps

    with gathered() as said:
        try:
            return bytes(dumps((_timed(*pickle.loads(work)), said)))
        except BaseException as error:  # noqa: BLE001  (raised where the task came from)
            error.add_note(way_to(error))
            try:
                answer = bytes(dumps((_Thrown(error), said)))
                pickle.loads(answer)
            except Exception:  # noqa: BLE001  (one that cannot be made anew from its arguments travels in words)
                return bytes(dumps((_Thrown(RuntimeError(in_words(error))), said)))
            return answer


def _timed(
    folder: Path, limit: float | None, function: Callable[..., Any], common: tuple[Any, ...], task: Any
) -> Any:
    """Do a task in the folder of who asks for it; the kernel ends this process if it takes too long."""
    os.chdir(folder)
    signal.setitimer(signal.ITIMER_REAL, limit or 0.0)
    try:
        return function(*common, task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def end_with(parent: int) -> None:
    """End this worker soon after the process that started it, which may have been killed.

    Ctrl-C reaches all processes of a terminal; the parent's answer to it is enough.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_EVERY)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def _no_interrupt() -> Iterator[None]:
    """Keep Ctrl-C from a process that is started inside, which inherits the mask; answer it at the end.

    The mask does not keep it from this thread where another one, such as a library's, catches it.
    """
    came: list[tuple[int, FrameType | None]] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    answer = signal.getsignal(signal.SIGINT)
    waits = callable(answer) and threading.current_thread() is threading.main_thread()
    if waits:
        signal.signal(signal.SIGINT, lambda number, frame: came.append((number, frame)))
    try:
        yield
    finally:
        if waits:
            signal.signal(signal.SIGINT, answer)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        if came and callable(answer):
            answer(*came[0])


def died_how(exit_code: int) -> str:
    """Return how a process died."""
    if exit_code == -signal.SIGKILL:
        return "signal 9, for lack of memory perhaps"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"
