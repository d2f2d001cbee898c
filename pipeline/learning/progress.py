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
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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


@dataclass
class _Program:
    """Models that are trained together.

    kind: what its epochs are alike in. experiment: where its scores are from. seconds: what it took, None
    until it is finished.
    """

    kind: str
    models: int
    epochs: int
    file: Path
    experiment: str
    seconds: float | None = None

    def marked(self) -> list[Mark]:
        try:
            written = self.file.read_bytes()
        except FileNotFoundError:
            return []
        whole = len(written) // MARK.size * MARK.size  # another process may be writing the next one
        return [Mark(*mark) for mark in MARK.iter_unpack(written[:whole])]

    def left(self) -> int:
        """Return the epochs before it, each model's counted; none if it is finished, perhaps early."""
        done = self.epochs if self.seconds is not None else min(self.epochs, len(self.marked()))
        return self.models * (self.epochs - done)

    def pace(self) -> float | None:
        """Return what an epoch of one model takes, seconds; None if that cannot be said.

        Between the first and the last mark: before the first one lie the start of a process and of torch,
        which would make the first estimates several times too high. A program without marks (on a cluster,
        or of a system without epochs) says what it took when it is finished.
        """
        marks = self.marked()
        if len(marks) > 1:
            return (marks[-1].time - marks[0].time) / (len(marks) - 1) / self.models
        return None if self.seconds is None else self.seconds / self.epochs / self.models


class Progress:
    """Epochs done by the models of all programs of a list, those included that are not yet planned."""

    what = "train"

    def __init__(
        self,
        planned: Mapping[str, int],
        models: int,
        folder: Path,
        metric: str = "score",
        at_once: int = 1,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Start the clock.

        planned: epochs of all models of each kind, such as those of one learner, at most. models: how many
        there are of all kinds. folder: for the files. metric: what the dev score is called. at_once: programs
        that run side by side.
        """
        self._left, self._folder = dict(planned), folder
        self._metric, self._at_once, self._clock = metric, at_once, clock
        self._programs: list[_Program] = []
        self._begun = clock()
        self.total: int | None = sum(planned.values())
        self.unit = f"epochs of {models} models"

    def leave_out(self, kind: str, epochs: int) -> None:
        """Count epochs as done that nobody has to do: of models in the store, or that cannot be trained."""
        self._left[kind] -= epochs

    def add(self, kind: str, models: int, epochs: int, experiment: str = "") -> int:
        """Take up a program, with epochs of `planned`; returns its number."""
        number = len(self._programs)
        self._programs.append(_Program(kind, models, epochs, self._folder / f"program_{number}", experiment))
        self._left[kind] -= models * epochs
        return number

    def marks(self, program: int) -> Path:
        """Return the file of a program."""
        return self._programs[program].file

    def finish(self, program: int, seconds: float) -> None:
        """Count all epochs of a program, which may have stopped before the last or marked none.

        seconds: what it took.
        """
        self._programs[program].seconds = seconds

    def done(self) -> int:
        """Return the number of epochs done, each model's counted."""
        return (self.total or 0) - sum(self._left.values()) - sum(own.left() for own in self._programs)

    def best(self) -> tuple[float, str] | None:
        """Return the best dev score so far, of any model, and its experiment.

        None before the first epoch, or without labels.
        """
        ends = [(marks[-1].best, own.experiment) for own in self._programs if (marks := own.marked())]
        return max((end for end in ends if math.isfinite(end[0])), default=None)

    def note(self) -> str:
        """Return the time left, and the best dev score so far."""
        paces, said = self._paces(), []
        if paces:
            said.append(f"about {duration(self._seconds_left(paces))} left")
        elif not self.done():
            said.append("in the first epoch")
        if (best := self._best_in_words()) is not None:
            said.append(best)
        return ", ".join(said)

    def _best_in_words(self) -> str | None:
        if (best := self.best()) is None:
            return None
        score, experiment = best
        where = f" ({experiment})" if experiment else ""
        return f"best dev {self._metric} {f'{score:.3f}'.replace('0.', '.', 1)}{where}"

    def _paces(self) -> dict[str, float]:
        """Return what an epoch of one model takes a process, seconds, by kind, as far as that is known."""
        found: dict[str, list[float]] = {}
        for own in list(self._programs):
            if (pace := own.pace()) is not None:
                found.setdefault(own.kind, []).append(pace)
        return {kind: sum(paces) / len(paces) for kind, paces in found.items()}

    def _seconds_left(self, paces: Mapping[str, float]) -> float:
        """Return the seconds left, no fewer than the program takes that has the most before it.

        A kind of which nothing is known yet is taken for one like the others.
        """
        usual = sum(paces.values()) / len(paces)
        programs = [own.left() * paces.get(own.kind, usual) for own in list(self._programs)]
        to_come = sum(epochs * paces.get(kind, usual) for kind, epochs in self._left.items())
        return max(*programs, 0.0, (sum(programs) + to_come) / self._at_once)

    @property
    def trained(self) -> int:
        """Return the number of models of all programs."""
        return sum(own.models for own in self._programs)

    def result(self) -> str:
        """Say what the training took and reached."""
        count = self.trained
        taken = f"{count} model{'' if count == 1 else 's'} trained in {duration(self._clock() - self._begun)}"
        best = self._best_in_words()
        return taken + (f", {best}" if best is not None else "")


@contextmanager
def watched(
    planned: Mapping[str, int], models: int, metric: str = "score", at_once: int = 1
) -> Iterator[Progress]:
    """Watch programs while they run, and say at the end what was reached."""
    # what a worker writes while it is ended must not hide why it is
    with tempfile.TemporaryDirectory(prefix="emobed-progress-", ignore_cleanup_errors=True) as folder:
        progress = Progress(planned, models, Path(folder), metric, at_once)
        with shown(progress):
            yield progress
        if progress.trained:
            logger.info("%s", progress.result())
