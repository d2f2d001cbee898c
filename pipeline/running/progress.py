"""Work that takes minutes -> how far it is: a bar on a terminal, a line every half minute in a log.

The one mechanism of all stages and commands. A file, CI or `dvc repro > log 2>&1` gets whole lines and
never a carriage return.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

LOOK_EVERY = 1.0
"""Seconds between two looks at the work."""
SAY_EVERY = 30.0
"""Seconds between two lines in a log, where no bar can be drawn."""
BAR = "{desc}: {percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit} [{elapsed}{postfix}]"
UNKNOWN = "{desc}: {n_fmt} {unit} [{elapsed}{postfix}]"

logger = logging.getLogger(__name__)
Item = TypeVar("Item")


class Work(Protocol):
    """Something that goes on, whoever does it.

    what: its name. unit: what is counted, in the plural. total: how many of them, None if nobody knows.
    """

    what: str
    unit: str
    total: int | None

    def done(self) -> int:
        """Return how many are done."""

    def note(self) -> str:
        """Return what else can be said, such as the time left; nothing if nothing is known."""


class Counted:
    """Items that are finished one by one."""

    def __init__(
        self, what: str, unit: str, total: int | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start the clock."""
        self.what, self.unit, self.total, self._clock = what, unit, total, clock
        self._finished = [(clock(), 0)]

    def advance(self, count: int = 1) -> None:
        """Note that `count` more are done."""
        self._finished.append((self._clock(), self.done() + count))

    def done(self) -> int:
        """Return how many are done."""
        return self._finished[-1][1]

    def note(self) -> str:
        """Return the time left, by the pace of the latter half of the time so far.

        What was in the store comes first and takes no time: the pace of all together would promise too much.
        """
        begun, _ = self._finished[0]
        now, done = self._finished[-1]
        half = begun + (self._clock() - begun) / 2
        earlier = [mark for mark in self._finished[:-1] if mark[0] <= half]
        if self.total is None or now <= half or not earlier:
            return ""
        then, before = earlier[-1]
        return f"about {duration((now - then) / (done - before) * max(0, self.total - done))} left"


@contextmanager
def shown(work: Work) -> Iterator[None]:
    """Show how far some work is while the body does it."""
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    bar = tqdm(
        desc=work.what,
        total=work.total,
        unit=work.unit,
        bar_format=UNKNOWN if work.total is None else BAR,
        disable=None,  # where it would not be a terminal
    )
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, name="emobed-progress", args=(work, bar, stop), daemon=True)
    with ExitStack() as stack:
        if not bar.disable:
            stack.enter_context(logging_redirect_tqdm())  # lines of the log above the bar, not in it
        watcher.start()
        try:
            yield
        finally:
            stop.set()
            watcher.join()
            _draw(work, bar)
            bar.close()


@contextmanager
def counted(what: str, unit: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Give a function to call when one more is done."""
    work = Counted(what, unit, total)
    with shown(work):
        yield work.advance


def tracked(items: Iterable[Item], what: str, unit: str, total: int | None = None) -> Iterator[Item]:
    """Give the items, each done when the next one is asked for."""
    if total == 0:
        return
    work = Counted(what, unit, total)
    with shown(work):
        for item in items:
            yield item
            work.advance()


def sentence(work: Work, seconds: float) -> str:
    """Say in a line how far some work is after `seconds`."""
    done = f"{work.done():,}" + ("" if work.total is None else f" of {work.total:,}")
    note = work.note()
    return f"{work.what}: {done} {work.unit} after {duration(seconds)}" + (f", {note}" if note else "")


def duration(seconds: float) -> str:
    """Write a rough duration: `40 s`, `12 min`, `3.5 h`, `18 days`."""
    for limit, unit, name in ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            digits = 1 if name == "h" and seconds < 10 * 3600 else 0
            return f"{seconds / unit:.{digits}f} {name}"
    return f"{seconds / 86400:.0f} days"


def _watch(work: Work, bar: Any, stop: threading.Event) -> None:
    begun = said = time.monotonic()
    while not stop.wait(LOOK_EVERY):
        now = time.monotonic()
        if not bar.disable:
            _draw(work, bar)
        elif now - said >= SAY_EVERY:
            logger.info("%s", sentence(work, now - begun))
            said = now


def _draw(work: Work, bar: Any) -> None:
    if not bar.disable:
        bar.set_postfix_str(work.note(), refresh=False)
        bar.n = work.done()
        bar.refresh()
