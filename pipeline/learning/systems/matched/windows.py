"""Recordings and label times -> the frames that an utterance latent is of.

Of utterances it is their one row. Of a continuous dimension each label time has an utterance of its own: the
last `span` seconds up to it, fewer at the beginning of a recording, so that nothing later is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import FRAMES_AT_ONCE


class Windows(NamedTuple):
    """Frames of utterances, the first of each at 0; zeros after the last.

    features: (utterances, frames, features). lengths: (utterances,), frames.
    """

    features: torch.Tensor
    lengths: torch.Tensor

    @property
    def mask(self) -> torch.Tensor:
        """Return where frames are, (utterances, frames), bool."""
        return mask_of(self.lengths, self.features.shape[1])


def mask_of(lengths: torch.Tensor, frames: int) -> torch.Tensor:
    """Return (rows, frames), True up to each length."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def windows_up_to(
    features: torch.Tensor, recordings: torch.Tensor, times: torch.Tensor, frames: int
) -> Windows:
    """Return the `frames` frames up to and with each time of a recording, or as many as there are.

    features: (recordings, frames, features). recordings, times: (utterances,), indices.
    """
    begin = (times - frames + 1).clamp_min(0)
    lengths = times - begin + 1
    places = begin[:, None] + torch.arange(frames, device=times.device)
    there = mask_of(lengths, frames)
    found = features[recordings[:, None], torch.where(there, places, 0)]  # (utterances, frames, features)
    return Windows(found * there[..., None], lengths)


def all_times(lengths: Sequence[int], frames: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return recordings and times of all frames of all recordings, in parts of bounded memory.

    lengths: of the recordings, frames. frames: of a window.
    """
    recordings = np.repeat(np.arange(len(lengths)), lengths)
    times = np.concatenate([np.zeros(0, np.int64), *(np.arange(length) for length in lengths)])
    at_once = max(1, FRAMES_AT_ONCE // frames)
    for begin in range(0, len(times), at_once):
        yield recordings[begin : begin + at_once], times[begin : begin + at_once]
