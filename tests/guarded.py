"""A function called on many inputs in a process of its own: a crash or a hang is a result like any other.

What decodes media is C code: a bad file may end the process, which no `except` sees. The process is
started again and goes on with the next input.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

ADDRESSES = 6 << 30
"""Bytes of address space of the process: one that asks for more gets a MemoryError, not the machine."""
STARTING = 120.0
"""Seconds that a process may take until it is ready: imports on a busy machine."""


class Crashed(NamedTuple):
    """The process ended on an input; code: its exit code, negative: the signal."""

    code: int | None


class Hung(NamedTuple):
    """The time for an input ran out."""

    seconds: float


class Raised(NamedTuple):
    """The function raised what it should not."""

    what: str


class Outcome(NamedTuple):
    """What the function returned, or how it ended; and by how much the process grew, bytes."""

    value: Any
    grown: int


class Guard:
    """A process that calls a function, started when it is needed; a context, at whose end it ends.

    function: importable. seconds: for one input.
    """

    def __init__(self, function: Callable[[Any], Any], seconds: float) -> None:
        self.function = function
        self.seconds = seconds
        self.process: Any = None
        self.ours: Any = None

    def __call__(self, each: Any) -> Outcome:
        """Return the outcome of one input."""
        if self.process is None:
            self._start()
        self.ours.send(each)
        try:
            outcome = self.ours.recv() if self.ours.poll(self.seconds) else Outcome(Hung(self.seconds), 0)
        except EOFError:
            self.process.join(10)
            outcome = Outcome(Crashed(self.process.exitcode), 0)
        if isinstance(outcome.value, Crashed | Hung):
            self._end()
        return outcome

    def __enter__(self) -> Guard:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.ours, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(self.function, theirs), daemon=True)
        self.process.start()
        theirs.close()
        assert self.ours.poll(STARTING), "the process does not start"
        self.ours.recv()

    def _end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.join()
        self.process = None


def _serve(function: Callable[[Any], Any], asked: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    asked.send("ready")
    while True:
        try:
            each = asked.recv()
        except EOFError:
            return
        # the most memory ever held begins anew here
        Path("/proc/self/clear_refs").write_text("5")
        before = _most_memory()
        try:
            value = function(each)
        except Exception as error:  # noqa: BLE001 - the caller judges it
            value = Raised(f"{type(error).__name__}: {error}")
        asked.send(Outcome(value, _most_memory() - before))


def _most_memory() -> int:
    """Return the most memory that this process held, bytes; what getrusage says begins with its parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
