"""A media file's sound -> one waveform on the file's clock, piece by piece: none of it is held.

What is to be said of the whole, its length, what is missing, whether it is clipped, is known at its end.
openSMILE multiplies by 32,768 and casts without a look, so that whatever lies outside int16
would change its sign: decoders and resamplers overshoot full scale, and are clipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.laying import Layer
from pipeline.features.media.clock import joined
from pipeline.features.media.damage import Broken, broken_off
from pipeline.features.media.decoding import RAW, Decoded, Lost
from pipeline.features.media.opening import MediaError, choice, open_media, origin, stream_of
from pipeline.features.media.riff import unread
from pipeline.location import Location
from pipeline.store.damage import NO_DAMAGE, Damage

LOUDEST = 32767 / 32768
"""The largest sample that int16 holds."""
LOWEST_HZ, HIGHEST_HZ = 8000, 192_000
"""Sampling rates that are taken as they are."""
FAR_OUTSIDE = 8.0
"""Samples beyond this are no overshoot: they are in the scale of integers."""
CLIPPED_SHARE = 0.001
"""Share of samples at full scale or beyond from which a recording is clipped: single peaks are usual."""
Rate = int | Literal["native", "any"]


@contextmanager
def open_sound(path: Location, rate_hz: Rate) -> Iterator[SoundInPieces]:
    """Open the sound stream of a file; parameters and errors as of `read_sound`."""
    with open_media(path) as container:
        stream = stream_of(path, container, "audio")
        if isinstance(rate_hz, str):
            rate_hz = _own_rate(path, stream, rate_hz == "any")
        yield SoundInPieces(path, container, stream, rate_hz)


class SoundInPieces:
    """The sound of an open file, to be asked for once.

    rate_hz: of the pieces. After the last of them: duration, seconds; damage: what could not be decoded,
    were no numbers or is missing; notes: what else was mended or chosen, in words.
    """

    def __init__(self, path: Location, container: Any, stream: Any, rate_hz: int) -> None:
        """Name the stream."""
        self.path = path
        self.container = container
        self.stream = stream
        self.rate_hz = rate_hz
        self.duration = 0.0
        self.damage: Damage = NO_DAMAGE
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Decode; yields (samples,) in [-1, LOUDEST].

        Raises:
            MediaError: no sound in it, samples in the scale of integers, time stamps that jump by hours.
        """
        waveform = Waveform()
        layer = Layer(self.path, self.rate_hz, waveform.take)
        start = origin(self.container)
        pieces = Decoded(self.path, self.container, self.stream)
        raw = self.container.format.name in RAW
        for piece in pieces:
            if isinstance(piece, Lost):
                layer.lose(piece)
            else:
                stamped = piece.time is not None and not (raw and layer.due is not None)
                layer.lay(piece, piece.time - start if stamped else None)
                yield from waveform.ready()
        layer.finish()
        waveform.silence_to(layer.place)
        yield from waveform.ready()
        broken = broken_off(self.path, self.container, self.stream, pieces.end, pieces.stopped)
        others = [*choice(self.container, "audio"), *joined(pieces.parts)]
        if self.container.format.name == "wav" and (left := unread(self.path)):
            others.append(f"{left} bytes lie behind the sound that its header states: they are not heard")
        self.duration = layer.place / self.rate_hz
        self.damage, self.notes = said_of(layer, waveform, broken, others)


class Waveform:
    """Blocks at their places -> one channel without gaps, within what int16 holds.

    peak: the largest sample. loudest: how many stand at full scale or beyond: there the recorder has clipped.
    """

    def __init__(self) -> None:
        """Begin."""
        self.place = 0
        self.peak = 0.0
        self.loudest = 0
        self._ready: list[NDArray[np.float32]] = []

    def take(self, place: int, block: NDArray[np.float32]) -> None:
        """Take a block, (channels, frames), and what lies before it as silence."""
        self.silence_to(place)
        # (channels, frames) -> (frames,): the plain mean, so that six channels need no mixing rule
        mono = block[0] if len(block) == 1 else block.mean(axis=0, dtype=np.float32)
        if not len(mono):
            return
        highest, lowest = float(mono.max()), float(mono.min())
        if highest >= LOUDEST or lowest <= -1:
            # counted before the clip, and with what stands at full scale
            self.loudest += int(np.count_nonzero(mono >= LOUDEST)) + int(np.count_nonzero(mono <= -1))
            mono = np.clip(mono, np.float32(-1), np.float32(LOUDEST))
        self.peak = max(self.peak, highest, -lowest)
        self.place += len(mono)
        self._ready.append(mono)

    def silence_to(self, place: int) -> None:
        """Take silence up to a place; it takes no memory."""
        if place > self.place:
            self._ready.append(np.broadcast_to(np.float32(0), place - self.place))
            self.place = place

    def ready(self) -> list[NDArray[np.float32]]:
        """Return the pieces since the last call, (samples,) each."""
        ready, self._ready = self._ready, []
        return ready


def said_of(
    layer: Layer, waveform: Waveform, broken: Broken | None, others: list[str]
) -> tuple[Damage, tuple[str, ...]]:
    """Return what is missing of sound that was laid, and what else is to be said of it.

    Raises:
        MediaError: samples in the scale of integers.
    """
    if waveform.peak > FAR_OUTSIDE:
        raise MediaError(
            f"{layer.path}: samples up to {waveform.peak:g}, expected within [-1, 1]: "
            "floating-point sound in the scale of integers; divide it by its full scale (int16: 32768)"
        )
    damage = _damage(layer, broken, layer.place / layer.rate_hz)
    return damage, (*others, *_notes(layer, waveform.loudest / layer.place))


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


def _damage(layer: Layer, broken: Broken | None, duration: float) -> Damage:
    words, seconds, whole = [], layer.damaged, duration
    if layer.first_damage is not None:
        are = "sample is not a finite number" if layer.not_finite == 1 else "samples are not finite numbers"
        what = f" ({layer.not_finite} {are})" if layer.not_finite else ""
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
