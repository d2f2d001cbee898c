"""Seconds -> frames; the one grid of (start, end) of a corpus.

Row k of every feature table of a continuous corpus belongs to the label time k * hop. Its window is
centred on that time, or with `alignment: end` ends there, so that it only looks back; a window that would
reach over an end of the recording is moved inside, so that every label time has a row, every window is full
and `start, end` say what was really read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.params import Grid


def seconds_to_frames(seconds: float, hop: float) -> int:
    """Return the nearest whole number of hops in a duration.

    seconds, hop: seconds.
    """
    return round(seconds / hop)


def label_times(duration: float, hop: float) -> NDArray[np.float64]:
    """Return the label times 0, hop, ... of a recording, both ends included.

    The duration is rounded to the nearest hop, since containers are off by a few milliseconds: 300 s
    at 0.04 s gives 7,501 times, as RECOLA's gold standard has.
    """
    return np.arange(seconds_to_frames(duration, hop) + 1, dtype=np.float64) * hop


def windows_or_whole(duration: float, grid: Grid) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end of the rows of a recording, seconds, (rows,) each: windows, or one utterance.

    grid: without a window the recording is an utterance, one row from beginning to end.

    Raises:
        ValueError: the recording is shorter than a window.
    """
    if grid.window is None or grid.hop is None:
        return np.zeros(1), np.full(1, duration)
    return windows(duration, grid.window, grid.hop, grid.alignment)


def windows(
    duration: float, window: float, hop: float, alignment: str = "centre"
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end of the window of each label time, seconds, (rows,) each.

    alignment: the place of the label time in its window, `centre` or `end`.

    Raises:
        ValueError: the recording is shorter than a window.
    """
    if duration < window:
        raise ValueError(f"{duration:.2f} s long, shorter than a window of {window:g} s")
    before = window if alignment == "end" else window / 2
    start = np.clip(label_times(duration, hop) - before, 0.0, duration - window)
    return start, start + window
