"""Samples as they come, at any rate -> one waveform at the rate of the features, as `read_sound` makes it."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.laying import Layer
from pipeline.features.audio.sound_in_pieces import FAR_OUTSIDE, HIGHEST_HZ, LOUDEST, LOWEST_HZ
from pipeline.features.media.opening import MediaError
from pipeline.features.streams.row_stream import STREAM

MOST_CHANNELS = 64
"""More are a wrong shape: (samples, channels) for (channels, samples)."""
INTEGERS = {"int16": "s16p", "int32": "s32p"}
"""Integers that are sound, and what FFmpeg calls them."""


class SoundStream:
    """Averages channels, resamples and clips; the same samples whatever the pieces that they come in.

    rate_hz: of what is pushed. out_hz: of what is returned.
    """

    def __init__(self, rate_hz: int, out_hz: int) -> None:
        """Begin.

        Raises:
            MediaError: no rate of sound.
        """
        if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ or rate_hz != int(rate_hz):
            raise MediaError(
                f"{STREAM}: {rate_hz} Hz, expected a whole number of {LOWEST_HZ} to {HIGHEST_HZ}"
            )
        self.rate_hz = int(rate_hz)
        self.channels = 0
        self._blocks: list[NDArray[np.float32]] = []
        self._layer = Layer(STREAM, out_hz, self._take)

    def push(self, samples: NDArray[np.generic]) -> NDArray[np.float32]:
        """Take samples and return those that are ready, (samples,).

        samples: (samples,) or (channels, samples), floating-point in [-1, 1], int16 or int32.

        Raises:
            MediaError: of another shape or kind, or in the scale of integers.
        """
        samples = self.checked(samples)
        if samples.shape[1]:
            channels, kind = len(samples), samples.dtype.name
            form = INTEGERS.get(kind, "fltp")
            if form == "fltp":
                samples = samples.astype(np.float32, copy=False)
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples), form, "mono" if channels == 1 else f"{channels} channels"
            )
            frame.sample_rate, frame.time_base = self.rate_hz, Fraction(1, self.rate_hz)
            self._layer.lay(frame, None)
        return self._ready()

    def finish(self) -> NDArray[np.float32]:
        """Return what the resampler still held, (samples,).

        Raises:
            MediaError: nothing was pushed.
        """
        self._layer.finish()
        return self._ready()

    def checked(self, samples: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return samples as (channels, samples).

        Raises:
            MediaError: of another shape or kind, or in the scale of integers.
        """
        samples = np.atleast_2d(np.asarray(samples))
        kind = samples.dtype
        if samples.ndim != 2 or not 1 <= len(samples) <= MOST_CHANNELS:
            raise MediaError(
                f"{STREAM}: samples of shape {samples.shape}, expected (samples,) or (channels, samples), "
                f"{MOST_CHANNELS} channels at most"
            )
        if kind.kind != "f" and kind.name not in INTEGERS:
            raise MediaError(f"{STREAM}: samples are {kind}, expected floating-point, int16 or int32")
        if self.channels not in (0, len(samples)):
            raise MediaError(f"{STREAM}: {len(samples)} channels after {self.channels}, expected as many")
        self.channels = len(samples)
        if kind.kind == "f" and samples.size and np.nanmax(np.abs(samples), initial=0) > FAR_OUTSIDE:
            raise MediaError(
                f"{STREAM}: samples beyond {FAR_OUTSIDE:g}, expected within [-1, 1]: floating-point sound in "
                "the scale of integers; divide it by its full scale (int16: 32768)"
            )
        return samples

    def _take(self, place: int, block: NDArray[np.float32]) -> None:
        """Keep a block, (channels, samples), as one channel."""
        mono = block.mean(axis=0, dtype=np.float32)
        self._blocks.append(np.clip(mono, -1, np.float32(LOUDEST)))

    def _ready(self) -> NDArray[np.float32]:
        blocks, self._blocks = self._blocks, []
        return np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
