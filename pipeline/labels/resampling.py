"""Trace -> its values at the label times k * hop.

A sample of the trace that lies on a label time is taken as it is; between samples the trace is
interpolated linearly; before its first sample that one is held. The grid ends with the trace.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.features.windows import label_times

# Label times and sample times are decimal fractions: nearer than this they are the same, seconds.
SAME_TIME = 1e-6


def resample(time: NDArray[np.float64], value: NDArray[np.float64], hop: float) -> NDArray[np.float64]:
    """Return the trace at the label times 0, hop, ... up to its end, (frames,).

    Args:
        time: seconds, rising, (samples,).
        value: (samples,).
        hop: distance of label times, seconds.

    Raises:
        ValueError: no samples, or times that do not rise or are negative.
    """
    if len(time) == 0 or time[0] < 0 or np.any(np.diff(time) <= 0):
        raise ValueError("found no samples or times that do not rise from 0 s, expected one value per time")
    # The last label time that the trace still reaches, not the nearest one.
    frames = int(np.floor((time[-1] + SAME_TIME) / hop)) + 1
    grid = label_times((frames - 1) * hop, hop)
    values = np.interp(grid, time, value)
    nearest = np.minimum(np.searchsorted(time, grid - SAME_TIME), len(time) - 1)
    exact = np.abs(time[nearest] - grid) <= SAME_TIME
    values[exact] = value[nearest[exact]]
    return values
