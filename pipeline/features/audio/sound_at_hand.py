"""Samples that a program has in memory -> the same as those of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.laying import LOWEST_RATE_HZ, Layer
from pipeline.features.audio.sound import Sound, collected
from pipeline.features.audio.sound_in_pieces import HIGHEST_HZ, Waveform, require_rate, said_of
from pipeline.features.media.opening import MediaError

MOST_CHANNELS = 64
"""With more, an array (samples, channels) was given the wrong way round."""
LONGEST_INTEGER = 4
"""Bytes of a sample."""


def sound_of(signal: NDArray[Any], rate_hz: int, to_hz: int | Literal["native"], name: str) -> Sound:
    """Return samples at hand as `read_sound` returns those of a file.

    signal: (samples,) or (channels, samples), floating point within [-1, 1], or integers at their full scale.
    rate_hz: of the signal. to_hz: to which it is resampled; native: to none. name: for errors.

    Raises:
        MediaError: no sound, samples in the scale of integers, or a rate that cannot be kept.
        ValueError: it is no such array, or the rate is none.
    """
    whole = isinstance(rate_hz, int | float | np.number) and float(rate_hz).is_integer()
    if not whole or not LOWEST_RATE_HZ <= rate_hz <= HIGHEST_HZ:
        raise ValueError(
            f"{name}: found a sampling rate of {rate_hz!r}, expected a whole number of Hz, "
            f"{LOWEST_RATE_HZ} to {HIGHEST_HZ}"
        )
    rate_hz = int(rate_hz)
    path = Path(name)
    if to_hz == "native":
        require_rate(path, rate_hz)
        to_hz = rate_hz
    frame = av.AudioFrame.from_ndarray(_mono(signal, name), "fltp", "mono")
    frame.sample_rate = rate_hz
    waveform = Waveform()
    layer = Layer(path, to_hz, waveform.take)
    layer.lay(frame, 0.0)
    layer.finish()
    waveform.silence_to(layer.place)
    damage, notes = said_of(layer, waveform, None, [])
    return Sound(collected(waveform.ready()), to_hz, damage, (*_of_scale(signal), *notes))


def _of_scale(signal: NDArray[Any]) -> tuple[str, ...]:
    """Return a note where 32 bits hold no more than 16 do: it may be sound of another scale."""
    if signal.dtype.kind != "i" or signal.dtype.itemsize <= np.dtype(np.int16).itemsize:
        return ()
    peak = max(int(signal.max()), -int(signal.min()))
    if not 0 < peak <= -np.iinfo(np.int16).min:
        return ()
    return (
        f"no sample of {signal.dtype} is beyond {peak}, which is next to silence at its full scale; of sound "
        "in the scale of 16 bits give signal.astype(numpy.int16)",
    )


def _mono(signal: Any, name: str) -> NDArray[np.float32]:
    """Return the mean of the channels, (1, samples)."""
    expected = f"expected a NumPy array (samples,) or (channels, samples) of at most {MOST_CHANNELS} channels"
    # no sound has 64 bits: such an array was made of numbers of another scale, which nothing tells
    if not isinstance(signal, np.ndarray) or not (
        signal.dtype.kind == "f" or (signal.dtype.kind == "i" and signal.dtype.itemsize <= LONGEST_INTEGER)
    ):
        kind = (
            f"an array of {signal.dtype}" if isinstance(signal, np.ndarray) else f"a {type(signal).__name__}"
        )
        raise ValueError(
            f"{name}: the signal is {kind}, {expected}, of floats or integers (int8, int16, int32)"
        )
    channels = signal[None] if signal.ndim == 1 else signal
    if channels.ndim != 2 or not 1 <= len(channels) <= MOST_CHANNELS:
        turned = signal.ndim == 2 and 1 <= signal.shape[1] <= MOST_CHANNELS
        hint = "; turn it: signal.T" if turned else ""
        raise ValueError(f"{name}: the signal has the shape {signal.shape}, {expected}{hint}")
    if not channels.shape[1]:
        raise MediaError(f"{name}: the signal holds no sound")
    scale = 1 / -float(np.iinfo(signal.dtype).min) if signal.dtype.kind == "i" else 1.0
    return np.ascontiguousarray(channels.mean(axis=0, dtype=np.float64)[None] * scale, np.float32)
