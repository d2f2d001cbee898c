"""Trace -> its values at the label times k * hop.

A sample of the trace that lies on a label time is taken as it is; between samples the trace is
interpolated linearly; before its first sample that one is held. Where samples are missing for longer than the
trace's own usual gaps, at its beginning or inside, nothing is held or drawn through: there is no value (NaN).
The grid ends with the trace, or before where it is longer than its recording.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.grid import label_times
from pipeline.features.medium_times import MAX_GAP, tolerance

# Label times and sample times are decimal fractions: nearer than this they are the same, seconds.
SAME_TIME = 1e-6


def resample(
    time: NDArray[np.float64],
    value: NDArray[np.float64],
    hop: float,
    max_gap: float = MAX_GAP,
    most: int | None = None,
) -> NDArray[np.float64]:
    """Return the trace at the label times 0, hop, ... up to its end, (frames,); NaN where it has a hole.

    Args:
        time: seconds, rising, (samples,); what lies before 0 s is before the recording.
        value: (samples,).
        hop: distance of label times, seconds.
        max_gap: seconds without a sample that are no hole, if they are more than a few of the trace's own.
        most: label times of the recording; None: as many as the trace has.

    Raises:
        ValueError: no samples, times that do not rise, or none within the recording.
    """
    if len(time) == 0 or time[-1] < 0 or np.any(np.diff(time) <= 0):
        raise ValueError("found no samples or times that do not rise from 0 s, expected one value per time")
    # The last label time that the trace still reaches, not the nearest one.
    frames = int(np.floor((time[-1] + SAME_TIME) / hop)) + 1
    frames = frames if most is None else min(frames, most)
    grid = label_times((frames - 1) * hop, hop)
    values = np.interp(grid, time, value)
    nearest = np.minimum(np.searchsorted(time, grid - SAME_TIME), len(time) - 1)
    exact = np.abs(time[nearest] - grid) <= SAME_TIME
    values[exact] = value[nearest[exact]]
    # of the label times between two samples the gap between these, before the first its distance from 0 s
    gap = np.diff(time, prepend=min(0.0, time[0]))[nearest]
    values[~exact & (gap > tolerance(time, max_gap))] = np.nan
    return values
