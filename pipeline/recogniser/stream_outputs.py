"""Outputs of the networks as they come -> predictions as they are known: delay and post-processing.

The prediction of a label time is that of offline use. Delay and shifts only look back; a median filter looks
half its window ahead, and its rows come so much later.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.recogniser.description import FittedChain


class StreamOutputs:
    """Keeps as many outputs as the longest look back takes.

    next: the first label time whose prediction was not given.
    """

    def __init__(self, seeds: int, delay_frames: int, chains: Sequence[FittedChain] | None) -> None:
        """Begin; delay_frames: annotation delay. chains: of each seed; None: no post-processing."""
        self.chains = tuple(chains) if chains is not None else (FittedChain(),) * seeds
        self.delay = delay_frames
        self.next = 0
        self._kept = np.zeros((seeds, 0))
        self._dropped = 0
        self._reach = max(chain.median // 2 + chain.shift for chain in self.chains) + delay_frames + 1

    @property
    def count(self) -> int:
        """Return how many outputs came."""
        return self._dropped + self._kept.shape[1]

    def push(self, outputs: NDArray[np.float64]) -> None:
        """Take the outputs of the next label times, (seeds, frames), not shifted back."""
        self._kept = np.concatenate([self._kept, outputs], axis=1)

    def known(self, times: int) -> NDArray[np.float64]:
        """Return predictions that are known, (seeds, frames).

        times: label times that have come; whether the recording has more is not known.
        """
        last = min(times, self.count + self.delay if self.count else 0) - 1
        stop = self.next
        while stop <= last and all(
            max(stop - chain.shift, 0) + chain.median // 2 <= last for chain in self.chains
        ):
            stop += 1
        return self._until(stop, last)

    def finish(self) -> NDArray[np.float64]:
        """Return the predictions that are left: one for each output that came."""
        return self._until(self.count, self.count - 1)

    def _until(self, stop: int, last: int) -> NDArray[np.float64]:
        """Return the predictions up to `stop`; last: the last label time that the filter may see."""
        found = np.zeros((len(self.chains), max(stop - self.next, 0)))
        for seed, chain in enumerate(self.chains):
            half = chain.median // 2
            for place, time in enumerate(range(self.next, stop)):
                middle = max(time - chain.shift, 0)
                inside = np.clip(np.arange(middle - half, middle + half + 1), 0, last)
                own = self._kept[seed, np.maximum(inside - self.delay, 0) - self._dropped]
                found[seed, place] = chain.gain * np.median(own) + chain.offset
        self.next = max(self.next, stop)
        gone = min(max(self.next - self._reach - self._dropped, 0), self._kept.shape[1] - 1)
        if gone > 0:
            self._kept, self._dropped = self._kept[:, gone:], self._dropped + gone
        return found
