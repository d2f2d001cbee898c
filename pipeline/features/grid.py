"""Seconds -> frames; the one grid of (start, end) of a corpus.

Row k of every feature table of a continuous corpus belongs to the label time k * hop. Its window is
centred on that time; a window that would reach over an end of the recording is moved inside, so
that every label time has a row, every window is full and `start, end` say what was really read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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


def windows_or_whole(
    duration: float, window: float | None, hop: float | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end of the rows of a recording, seconds, (rows,) each: windows, or one utterance.

    window, hop: seconds; None: the recording is an utterance, one row from beginning to end.

    Raises:
        ValueError: the recording is shorter than a window.
    """
    if window is None or hop is None:
        return np.zeros(1), np.full(1, duration)
    return windows(duration, window, hop)


def windows(duration: float, window: float, hop: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return start and end of the window of each label time, seconds, (rows,) each.

    Raises:
        ValueError: the recording is shorter than a window.
    """
    if duration < window:
        raise ValueError(f"{duration:.2f} s long, shorter than a window of {window:g} s")
    centre = label_times(duration, hop)
    start = np.clip(centre - window / 2, 0.0, duration - window)
    return start, start + window
