"""Trainings of minutes to days -> how far they are, and how long the rest will take.

A program, in this process or another, adds a byte to a file of its own at the end of every epoch; the process
that started it reads their sizes. Nothing that a model depends on passes this way.
"""

from __future__ import annotations

import logging
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tqdm import tqdm

LOOK_EVERY = 1.0
"""Seconds between two looks at the files."""
SAY_EVERY = 30.0
"""Seconds between two lines in a log, where no bar can be drawn."""

logger = logging.getLogger(__name__)


def mark_epoch(marks: Path | None) -> None:
    """Note that one more epoch is done. marks: the program's file; None: nobody looks."""
    if marks is not None:
        with suppress(OSError), marks.open("ab") as file:  # a full disk must not end a training for this
            file.write(b".")


class Progress:
    """Epochs done by the models of some programs."""

    def __init__(
        self,
        sizes: Sequence[int],
        epochs: int,
        folder: Path,
        later: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start the clock.

        sizes: models of each program. epochs: of each model, at most. folder: for the files. later: epochs of
        models that experiments after this one will train, if nothing of theirs is in the cache.
        """
        self._sizes, self._epochs, self._folder, self._later, self._clock = (
            sizes, epochs, folder, later, clock,
        )  # fmt: skip
        self._finished: set[int] = set()
        self._begun = self._said = clock()
        self._estimated = False
        self.total = sum(sizes) * epochs

    def marks(self, program: int) -> Path:
        """Return the file of a program."""
        return self._folder / f"program_{program}"

    def finish(self, program: int) -> None:
        """Count all epochs of a program, which may have stopped before the last or marked none."""
        self._finished.add(program)

    def done(self) -> int:
        """Return the number of epochs done, each model's counted."""
        return sum(
            size * (self._epochs if program in self._finished else min(self._epochs, self._marked(program)))
            for program, size in enumerate(self._sizes)
        )

    def _marked(self, program: int) -> int:
        try:
            return self.marks(program).stat().st_size
        except FileNotFoundError:
            return 0

    def sentence(self) -> str | None:
        """Say how far the training is and what it will take, None before the end of the first epoch."""
        done = self.done()
        if not done:
            return None
        each = (self._clock() - self._begun) / done
        text = (
            f"{sum(self._sizes)} models x {self._epochs} epochs: {100 * done / self.total:.0f} % done, "
            f"about {duration(each * (self.total - done))} left"
        )
        return text + (f", and {duration(each * self._later)} for what follows" if self._later else "")

    def say(self, has_bar: bool) -> None:
        """Log the estimate once it can be made, and where there is no bar every `SAY_EVERY` seconds."""
        due = not has_bar and self._clock() - self._said >= SAY_EVERY
        if self._estimated and not due:
            return
        sentence = self.sentence()
        if sentence is not None:
            logger.info("%s", sentence)
            self._estimated, self._said = True, self._clock()


def duration(seconds: float) -> str:
    """Write a rough duration: `40 s`, `12 min`, `3.5 h`, `18 days`."""
    for limit, unit, name in ((90, 1, "s"), (90 * 60, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            digits = 1 if name == "h" and seconds < 10 * 3600 else 0
            return f"{seconds / unit:.{digits}f} {name}"
    return f"{seconds / 86400:.0f} days"


@contextmanager
def watched(sizes: Sequence[int], epochs: int, later: int = 0) -> Iterator[Progress]:
    """Watch programs while they run: a bar on a terminal, lines in a log elsewhere."""
    with tempfile.TemporaryDirectory(prefix="emobed-progress-") as folder:
        progress = Progress(sizes, epochs, Path(folder), later)
        bar = tqdm(total=progress.total, desc="epochs of models", unit="epoch", disable=None)
        stop = threading.Event()
        watcher = threading.Thread(
            target=_watch, name="emobed-progress", args=(progress, bar, stop), daemon=True
        )
        watcher.start()
        try:
            yield progress
        finally:
            stop.set()
            watcher.join()
            bar.update(progress.done() - bar.n)
            bar.close()


def _watch(progress: Progress, bar: Any, stop: threading.Event) -> None:
    while not stop.wait(LOOK_EVERY):
        bar.update(progress.done() - bar.n)
        progress.say(has_bar=not bar.disable)
