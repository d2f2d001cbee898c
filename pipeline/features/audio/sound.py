"""A media file's sound -> one waveform on the file's clock, in [-1, 1), with what is wrong with it.

openSMILE multiplies by 32,768 and casts without a look, so that whatever lies outside int16
would change its sign: decoders and resamplers overshoot full scale, and are clipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.laying import Layer
from pipeline.features.media.clock import joined
from pipeline.features.media.damage import Broken, broken_off
from pipeline.features.media.decoding import RAW, Decoded, Lost
from pipeline.features.media.opening import MediaError, choice, open_media, origin, stream_of
from pipeline.location import Location
from pipeline.store.damage import NO_DAMAGE, Damage

LOUDEST = 32767 / 32768
"""The largest sample that int16 holds."""
SHORTEST = 0.1
"""Seconds of sound below which openSMILE's frames of 60 ms, 10 ms apart, are too few: most functionals
would be 0 or no numbers."""
LOWEST_HZ, HIGHEST_HZ = 8000, 192_000
"""Sampling rates that are taken as they are."""
FAR_OUTSIDE = 8.0
"""Samples beyond this are no overshoot: they are in the scale of integers."""
CLIPPED_SHARE = 0.001
"""Share of samples at full scale or beyond from which a recording is clipped: single peaks are usual."""


@dataclass(frozen=True)
class Sound:
    """The sound of a recording.

    signal: (frames,) in [-1, LOUDEST]. rate_hz: of the signal. damage: what could not be decoded, were no
    numbers or is missing. notes: what else was mended or chosen, in words.
    """

    signal: NDArray[np.float32]
    rate_hz: int
    damage: Damage = NO_DAMAGE
    notes: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Return its length, seconds."""
        return len(self.signal) / self.rate_hz


def read_sound(path: Location, rate_hz: int | Literal["native", "any"]) -> Sound:
    """Decode the sound stream: all channels averaged, resampled, clipped, sample 0 at the file's origin.

    rate_hz: to which it is resampled; native: to none, the rate is the file's own and one that features can
    be made of; any: the file's own whatever it is, for who resamples later.

    Raises:
        MediaError: no such file, not media, no sound stream, no sound in it, samples in the scale of
            integers, time stamps that jump by hours.
        RemoteError: a URL whose server does not answer.
    """
    with open_media(path) as container:
        stream = stream_of(path, container, "audio")
        if isinstance(rate_hz, str):
            rate_hz = _own_rate(path, stream, rate_hz == "any")
        waveform = Waveform()
        layer = Layer(path, rate_hz, waveform.take)
        start = origin(container)
        pieces = Decoded(path, container, stream)
        raw = container.format.name in RAW
        for piece in pieces:
            if isinstance(piece, Lost):
                layer.lose(piece)
            else:
                stamped = piece.time is not None and not (raw and layer.due is not None)
                layer.lay(piece, piece.time - start if stamped else None)
        layer.finish()
        broken = broken_off(path, container, stream, pieces.end, pieces.stopped)
        others = [*choice(container, "audio"), *joined(pieces.parts)]
    return finished_sound(layer, waveform, broken, others)


def finished_sound(layer: Layer, waveform: Waveform, broken: Broken | None, others: list[str]) -> Sound:
    """Return what was laid, clipped, with what is to be said of it.

    Raises:
        MediaError: samples in the scale of integers.
    """
    path, rate_hz = layer.path, layer.rate_hz
    signal = waveform.cut(layer.place)
    peak = max(float(signal.max()), -float(signal.min()))
    if peak > FAR_OUTSIDE:
        raise MediaError(
            f"{path}: samples up to {peak:g}, expected within [-1, 1]: "
            "floating-point sound in the scale of integers; divide it by its full scale (int16: 32768)"
        )
    # counted before the clip, and with what stands at full scale: there the recorder has clipped already
    loudest = int(np.count_nonzero(signal >= LOUDEST)) + int(np.count_nonzero(signal <= -1))
    if loudest:
        np.clip(signal, -1, LOUDEST, out=signal)
    damage = _damage(layer, broken, len(signal) / rate_hz)
    return Sound(signal, rate_hz, damage, (*others, *_notes(layer, loudest / len(signal))))


def require_window(path: Location, duration: float, window: float | None) -> None:
    """Refuse a recording that is shorter than a window.

    duration: seconds. window: of the grid, seconds; None: an utterance.

    Raises:
        MediaError: it is.
    """
    if window is not None and duration < window:
        raise MediaError(f"{path}: {duration:.2f} s long, shorter than a window of {window:g} s")


def require_sound(path: Location, duration: float) -> None:
    """Refuse sound that is too short for openSMILE.

    duration: seconds.

    Raises:
        MediaError: it gives too few frames.
    """
    if duration < SHORTEST:
        raise MediaError(
            f"{path}: {duration:.3f} s long, too short for openSMILE's frames, "
            f"expected {SHORTEST:g} s at least"
        )


def _own_rate(path: Location, stream: Any, any_rate: bool) -> int:
    """Return the sampling rate of a stream.

    Raises:
        MediaError: too low for openSMILE's bands, or beyond what any recorder has, unless `any_rate`; none.
    """
    rate = int(stream.codec_context.sample_rate)
    if not any_rate or rate <= 0:
        require_rate(path, rate)
    return rate


def require_rate(path: Location, rate: int) -> None:
    """Refuse a rate that is not taken as it is.

    Raises:
        MediaError: too low for openSMILE's bands, or beyond what any recorder has.
    """
    if not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise MediaError(
            f"{path}: its sound has {rate} Hz, expected {LOWEST_HZ} to {HIGHEST_HZ} for "
            "audio.sampling_rate_hz native; set a rate to resample to"
        )


class Waveform:
    """Channels averaged, in memory that grows in place: an hour is never copied."""

    def __init__(self) -> None:
        self.buffer = np.zeros(0, np.float32)

    def take(self, place: int, block: NDArray[np.float32]) -> None:
        """Keep a block, (channels, frames), at its place."""
        # (channels, frames) -> (frames,): the plain mean, so that six channels need no mixing rule
        mono = block.mean(axis=0, dtype=np.float32)
        self._reserve(place + len(mono))
        self.buffer[place : place + len(mono)] = mono

    def cut(self, count: int) -> NDArray[np.float32]:
        """Return the waveform with a length of `count`."""
        self.buffer.resize(count, refcheck=False)
        return self.buffer

    def _reserve(self, count: int) -> None:
        if count > len(self.buffer):
            self.buffer.resize(max(count, len(self.buffer) + len(self.buffer) // 4, 2**16), refcheck=False)


def _damage(layer: Layer, broken: Broken | None, duration: float) -> Damage:
    words, seconds, whole = [], layer.damaged, duration
    if layer.first_damage is not None:
        what = f" ({layer.not_finite} samples are not finite numbers)" if layer.not_finite else ""
        words.append(
            f"{layer.damaged:.2f} s of its sound cannot be decoded{what}, "
            f"first at {layer.first_damage:.2f} s: silence there"
        )
    if broken is not None:
        words.insert(0, str(broken))
        seconds, whole = seconds + broken.missing, max(whole, broken.end + broken.missing)
    return Damage.of(seconds, whole, words)


def _notes(layer: Layer, clipped: float) -> Iterator[str]:
    """Say what was mended; clipped: share of the samples at full scale or beyond."""
    if layer.holes:
        time, length = layer.holes[0]
        total = sum(length for _, length in layer.holes)
        yield (
            f"its sound has {len(layer.holes)} holes, {total:.2f} s in all, the first of {length:.2f} s at "
            f"{time:.2f} s: silence there"
        )
    if layer.overlap:
        yield f"{layer.overlap:.2f} s of its sound overlap by their time stamps: dropped"
    if clipped >= CLIPPED_SHARE:
        yield f"{100 * clipped:.1f} % of its samples are at full scale or beyond: clipped"
