"""Trainings of minutes to days -> epochs done, the time left, and the best dev score so far.

A program, in this process or another, adds a mark to a file of its own at the end of every epoch: when that
was, and the best dev score of its models. The process that started it reads them. Nothing that a model
depends on passes this way.
"""

from __future__ import annotations

import logging
import math
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pipeline.running.progress import duration, shown

MARK = struct.Struct("<dd")
"""Time of the end of an epoch, seconds since 1970, and the best dev score so far, NaN if there is none."""

logger = logging.getLogger(__name__)


class Mark(NamedTuple):
    """The end of an epoch."""

    time: float
    best: float


def mark_epoch(marks: Path | None, best: float = math.nan) -> None:
    """Note that one more epoch is done.

    marks: the program's file; None: nobody looks. best: dev score, the best of all its models and epochs.
    """
    if marks is not None:
        with suppress(OSError), marks.open("ab") as file:  # a full disk must not end a training for this
            file.write(MARK.pack(time.time(), best))


class Progress:
    """Epochs done by the models of some programs."""

    what = "train"

    def __init__(
        self,
        sizes: Sequence[int],
        epochs: int,
        folder: Path,
        later: int = 0,
        metric: str = "score",
        at_once: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start the clock.

        sizes: models of each program. epochs: of each model, at most. folder: for the files. later: epochs of
        models that experiments after this one will train, if nothing of theirs is in the cache. metric: what
        the dev score is called. at_once: programs that run side by side.
        """
        self._sizes, self._epochs, self._folder, self._later = sizes, epochs, folder, later
        self._metric, self._at_once, self._clock = metric, at_once, clock
        self._finished: set[int] = set()
        self._begun = clock()
        self.total: int | None = sum(sizes) * epochs
        self.unit = f"epochs of {sum(sizes)} models"

    def marks(self, program: int) -> Path:
        """Return the file of a program."""
        return self._folder / f"program_{program}"

    def finish(self, program: int) -> None:
        """Count all epochs of a program, which may have stopped before the last or marked none."""
        self._finished.add(program)

    def done(self) -> int:
        """Return the number of epochs done, each model's counted."""
        return sum(size * self._epochs_of(program) for program, size in enumerate(self._sizes))

    def _epochs_of(self, program: int) -> int:
        return self._epochs if program in self._finished else min(self._epochs, len(self._marked(program)))

    def _marked(self, program: int) -> list[Mark]:
        try:
            written = self.marks(program).read_bytes()
        except FileNotFoundError:
            return []
        whole = len(written) // MARK.size * MARK.size  # another process may be writing the next one
        return [Mark(*mark) for mark in MARK.iter_unpack(written[:whole])]

    def best(self) -> float | None:
        """Return the best dev score so far, of any model; None before the first epoch, or without labels."""
        ends = [marks[-1].best for program in range(len(self._sizes)) if (marks := self._marked(program))]
        return max(filter(math.isfinite, ends), default=None)

    def note(self) -> str:
        """Return the time left, here and in what follows, and the best dev score so far."""
        each, best = self._seconds(), self.best()
        said = []
        if each is not None:
            said.append(f"about {duration(self._left(each))} left")
            if self._later:
                said.append(f"{duration(each * self._later / self._at_once)} for what follows")
        elif not self.done():
            said.append("in the first epoch")
        if best is not None:
            said.append(self._best_in_words(best))
        return ", ".join(said)

    def _best_in_words(self, best: float) -> str:
        return f"best dev {self._metric} {f'{best:.3f}'.replace('0.', '.', 1)}"

    def _seconds(self) -> float | None:
        """Return what an epoch of one model takes a process, seconds; None if that cannot be said.

        Between the first and the last mark of a program: before the first one lie the start of a process and
        of torch, which would make the first estimates several times too high.
        """
        paces = []
        for program, size in enumerate(self._sizes):
            marks = self._marked(program)
            if len(marks) > 1:
                paces.append((marks[-1].time - marks[0].time) / (len(marks) - 1) / size)
        if paces:
            return sum(paces) / len(paces)
        if self._finished:  # without marks: on a cluster, or systems without epochs
            return (self._clock() - self._begun) * self._at_once / self.done()
        return None

    def _left(self, each: float) -> float:
        """Return the seconds left, no fewer than the program takes that has the most before it."""
        left = [
            each * size * (self._epochs - self._epochs_of(program))
            for program, size in enumerate(self._sizes)
        ]
        return max(*left, sum(left) / self._at_once)

    def result(self) -> str:
        """Say what the training took and reached."""
        best = self.best()
        count = sum(self._sizes)
        taken = f"{count} model{'' if count == 1 else 's'} trained in {duration(self._clock() - self._begun)}"
        return taken + (f", {self._best_in_words(best)}" if best is not None else "")


@contextmanager
def watched(
    sizes: Sequence[int], epochs: int, later: int = 0, metric: str = "score", at_once: int = 1
) -> Iterator[Progress]:
    """Watch programs while they run, and say at the end what was reached."""
    with tempfile.TemporaryDirectory(prefix="emobed-progress-") as folder:
        progress = Progress(sizes, epochs, Path(folder), later, metric, at_once)
        with shown(progress):
            yield progress
        logger.info("%s", progress.result())
