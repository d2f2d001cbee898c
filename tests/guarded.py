"""A function called on many inputs in a process of its own: a crash or a hang is a result like any other.

What decodes media is C code: a bad file may end the process, which no `except` sees. The process is
started again and goes on with the next input.
"""

from __future__ import annotations

import multiprocessing
import resource
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
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


def call_guarded(function: Callable[[Any], Any], inputs: Iterable[Any], seconds: float) -> Iterator[Outcome]:
    """Give the outcome of each input in order. function: importable. seconds: for one input."""
    context = multiprocessing.get_context("spawn")
    process: Any = None
    ours: Any = None
    try:
        for each in inputs:
            if process is None:
                ours, theirs = context.Pipe()
                process = context.Process(target=_serve, args=(function, theirs), daemon=True)
                process.start()
                theirs.close()
                assert ours.poll(STARTING), "the process does not start"
                ours.recv()
            ours.send(each)
            try:
                outcome = ours.recv() if ours.poll(seconds) else Outcome(Hung(seconds), 0)
            except EOFError:
                process.join(10)
                outcome = Outcome(Crashed(process.exitcode), 0)
            yield outcome
            if isinstance(outcome.value, Crashed | Hung):
                process.kill()
                process.join()
                process = None
    finally:
        if process is not None:
            process.kill()
            process.join()


def _serve(function: Callable[[Any], Any], asked: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESSES, ADDRESSES))
    asked.send("ready")
    while True:
        try:
            each = asked.recv()
        except EOFError:
            return
        before = _most_memory()
        try:
            value = function(each)
        except Exception as error:  # noqa: BLE001 - the caller judges it
            value = Raised(f"{type(error).__name__}: {error}")
        asked.send(Outcome(value, _most_memory() - before))


def _most_memory() -> int:
    """Return the most memory that this process ever held, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
