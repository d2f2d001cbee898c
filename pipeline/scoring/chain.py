"""The steps of post-processing: median filter, centring, scaling, time shift (paper, section 4.2).

Filter and shift act within a recording, never across a boundary. A shift of D > 0 seconds moves the
trace LATER, `p'(t) = p(t - D)` with the first value held: the direction of the annotation delay, whose
rest it takes up. Windows and shifts in seconds become frames by the hop of the corpus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from pipeline.features.grid import seconds_to_frames
from pipeline.params import Postprocessing

Trace = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A fitted chain.

    median: frames of the filter, odd, 1 for none. shift: frames, 0 for none. gain, offset: centring
    and scaling as one line, `gain * p + offset`. dev_before, dev_after: dev CCC without and with the chain;
    dev_left_out: where each dev recording gets a chain fitted on the others, NaN if that was not asked.
    """

    median: int = 1
    centring: bool = False
    scaling: bool = False
    shift: int = 0
    gain: float = 1.0
    offset: float = 0.0
    dev_before: float = float("nan")
    dev_after: float = float("nan")
    dev_left_out: float = float("nan")

    @property
    def steps(self) -> int:
        """Return how many of the four steps are kept; 0 is the identity."""
        return (self.median > 1) + self.centring + self.scaling + (self.shift > 0)

    def apply(self, trace: Trace) -> Trace:
        """Return the post-processed trace of one recording, (frames,)."""
        return shift(self.gain * median(trace, self.median) + self.offset, self.shift)


@dataclass(frozen=True)
class ChainGrid:
    """What `fit_chain` tries besides leaving a step out; medians and shifts in frames."""

    medians: tuple[int, ...]
    centring: bool
    scaling: bool
    shifts: tuple[int, ...]

    @classmethod
    def from_params(cls, params: Postprocessing, hop: float | None) -> ChainGrid:
        """Turn seconds into frames; `hop` is seconds, None for utterances (nothing to filter or shift).

        Windows become odd (an even number of frames gains one). What rounds to no step is left out.
        """
        if hop is None:
            return cls((), False, False, ())
        medians = {seconds_to_frames(window, hop) // 2 * 2 + 1 for window in params.median_windows}
        shifts = {seconds_to_frames(seconds, hop) for seconds in params.shifts}
        return cls(tuple(sorted(medians - {1})), params.centring, params.scaling, tuple(sorted(shifts - {0})))

    @property
    def empty(self) -> bool:
        """Say whether there is nothing to try."""
        return not (self.medians or self.centring or self.scaling or self.shifts)


def median(trace: Trace, frames: int) -> Trace:
    """Return the running median of a trace, edges held; (frames,), `frames` odd, 1 for none."""
    return trace if frames == 1 else np.asarray(median_filter(trace, size=frames, mode="nearest"))


def shift(trace: Trace, frames: int) -> Trace:
    """Move a trace later by `frames` >= 0 and hold its first value, (frames,)."""
    return trace[np.maximum(np.arange(len(trace)) - frames, 0)]
