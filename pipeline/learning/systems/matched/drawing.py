"""Recordings of train -> seeded batches: which recordings and label times, what is missing, what is unpaired.

Every choice has a stream of its own, so that a model with another weight of the matching draws the same.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import SeededOrder
from pipeline.learning.seeding import numpy_stream
from pipeline.learning.systems.matched.matched_data import MatchedData
from pipeline.params import Learning


class Utterances(NamedTuple):
    """Utterances of a batch, recording by recording: the recording and the label time of each."""

    recordings: NDArray[np.int64]
    times: NDArray[np.int64]


class Drawing:
    """Batches of the recordings with labels, or of those without, and recordings that are in none of them."""

    def __init__(self, data: MatchedData, learning: Learning, seed: int, *, labelled: bool) -> None:
        """Start the streams. labelled: whether batches are of recordings with labels."""
        self.pool = data.seen if labelled else data.unlabelled
        self.pairs, self.each = data.pairs, data.each
        what = "labelled" if labelled else "unlabelled"
        # half of the pairs at most, so that as many are left for the other batch
        most = min(learning.optimiser.batch, len(self.pairs) // 2)
        self.order = SeededOrder(len(self.pool), most, seed, f"matched {what}")
        known = [np.isfinite(own) if labelled else np.ones(len(own), bool) for own in data.train.labels]
        self.times = [np.flatnonzero(own) for own in known]
        self.lengths = [len(own) for own in data.train.labels]
        self.random = {
            name: numpy_stream(seed, "matched", what, name)
            for name in ("times", "others", "times of others", "missing")
        }
        self.dropout = learning.matched.dropout

    def draw(self) -> Utterances:
        """Return the utterances of the next batch, `each` of a recording.

        A recording that two passes would bring into one batch is in it once: MMD is of different rows.
        """
        chosen = np.unique(self.pool[self.order.draw()])
        times = [self._times(self.times[place], "times") for place in chosen]
        return Utterances(np.repeat(chosen, self.each), np.concatenate(times))

    def others(self, batch: Utterances) -> Utterances:
        """Return utterances of as many recordings with all modalities that are not in the batch."""
        inside = np.unique(batch.recordings)
        left = np.setdiff1d(self.pairs, inside)
        chosen = self.random["others"].choice(left, min(len(inside), len(left)), replace=False)
        times = [self._times(np.arange(self.lengths[place]), "times of others") for place in chosen]
        return Utterances(np.repeat(chosen, self.each), np.concatenate(times))

    def missing(self, batch: Utterances) -> torch.Tensor:
        """Return for which utterances all but the target is missing, as at use; (utterances,), bool."""
        return torch.from_numpy(self.random["missing"].random(len(batch.recordings)) < self.dropout)

    def _times(self, known: NDArray[np.int64], stream: str) -> NDArray[np.int64]:
        """Return different label times of one recording."""
        if len(known) == 1:
            return known
        return self.random[stream].choice(known, self.each, replace=False)
