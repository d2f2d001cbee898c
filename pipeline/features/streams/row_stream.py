"""What all streams of rows have in common: they give the rows of extraction, as soon as each is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.window_moments import members, moments
from pipeline.params import Grid
from pipeline.store.rows import Rows

STREAM = Path("the stream")
"""What errors call a recording that is no file."""
ROUNDING = 1e-6
"""Seconds by which times are off that are sums of hops; as in `window_moments`."""


class NotStreamedError(ValueError):
    """Report features whose value at a time depends on the whole recording; what would be right."""


class SoundRows(Protocol):
    """Rows from sound."""

    names: tuple[str, ...]

    def push(self, signal: NDArray[np.float32]) -> Rows | None:
        """Take samples, (samples,), at the rate of the features; return the rows that are now known."""

    def finish(self) -> Rows | None:
        """Return the rows that are left; none can be pushed any more.

        Raises:
            MediaError: all that was pushed is shorter than a window.
        """

    def close(self) -> None:
        """Give back what is held; nothing can be pushed any more."""


class Places:
    """Where the windows of the next label times lie.

    A label time has its place before the end of the recording is known, unless its window would reach over
    that end.
    """

    def __init__(self, grid: Grid) -> None:
        """Begin with the first label time; grid: with a window and a hop."""
        assert grid.window is not None, "streams have windows"
        assert grid.hop is not None, "streams have windows"
        self.window, self.hop = grid.window, grid.hop
        self.before = grid.window if grid.alignment == "end" else grid.window / 2
        self.next = 0

    def begin(self) -> float:
        """Return the start of the next label time's window, seconds."""
        return max(0.0, self.next * self.hop - self.before)


class WindowMoments:
    """Vectors in time order -> mean and deviation over the window of each label time; as `moments`.

    Holds the vectors of one window.
    """

    def __init__(self, grid: Grid, names: Sequence[str], statistics: Sequence[str]) -> None:
        """Begin at 0 s; names: of the values. statistics: mean, std, in this order in the rows."""
        self.names = tuple(f"{name}_{statistic}" for statistic in statistics for name in names)
        self.statistics = tuple(statistics)
        self.places = Places(grid)
        self.times: list[float] = []
        self.values: list[NDArray[np.float32]] = []
        self.valid: list[bool] = []

    def push(self, time: float, value: NDArray[np.float32], valid: bool) -> None:
        """Take the vector of a time, seconds, not before the last one's."""
        self.times.append(time)
        self.values.append(value)
        self.valid.append(valid)

    def known(self, until: float, length: float) -> Rows | None:
        """Return the rows of windows that are known.

        until: all vectors up to this time were pushed, seconds. length: the recording is at least as long.
        """
        starts = []
        while True:
            start = self.places.begin()
            end = start + self.places.window
            if not self.times or end > until + ROUNDING / 2 or end > length + ROUNDING / 2:
                break
            starts.append(start)
            self.places.next += 1
        return self._rows(np.array(starts)) if starts else None

    def finish(self, start: NDArray[np.float64]) -> Rows | None:
        """Return the rows that are left; start: of the windows of all label times, (rows,)."""
        rest = start[self.places.next :]
        self.places.next = len(start)
        return self._rows(rest) if len(rest) and self.times else None

    def _rows(self, start: NDArray[np.float64]) -> Rows:
        end = start + self.places.window
        times = np.array(self.times)
        first, stop = members(times, start, end)
        rows = []
        for one, behind in zip(first, stop, strict=True):  # each from the vectors of its window alone
            own = np.stack(self.values[one:behind])
            mean, std = moments(own, np.array([0]), np.array([len(own)]))
            parts = {"mean": mean[0], "std": std[0]}
            rows.append(np.concatenate([parts[name] for name in self.statistics]))
        faces = np.concatenate([[0], np.cumsum(self.valid)])
        self._forget(int(first[-1]))
        return Rows(
            start,
            end,
            np.stack(rows).astype(np.float32),
            np.asarray(faces[stop] > faces[first]),
            self.names,
        )

    def _forget(self, count: int) -> None:
        """Drop vectors before the first one of the last window: later windows begin no earlier."""
        for kept in (self.times, self.values, self.valid):
            del kept[:count]


def require_length(duration: float, window: float) -> None:
    """Refuse a stream that ended before it was as long as a window.

    Raises:
        MediaError: it did; seconds.
    """
    if duration < window:
        raise MediaError(f"{STREAM}: {duration:.2f} s long, shorter than a window of {window:g} s")


def joined(parts: Iterable[Rows | None]) -> Rows | None:
    """Return rows behind each other as one; None where there are none."""
    known = [part for part in parts if part is not None]
    if len(known) < 2:
        return known[0] if known else None
    start, end, values, valid = (
        np.concatenate([getattr(part, name) for part in known])
        for name in ("start", "end", "values", "valid")
    )
    return Rows(start, end, values, valid, known[0].names)


def cut(rows: Rows, begin: int, stop: int) -> Rows:
    """Return some of the rows."""
    own = slice(begin, stop)
    return Rows(rows.start[own], rows.end[own], rows.values[own], rows.valid[own], rows.names)
