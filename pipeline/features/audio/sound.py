"""A media file's sound -> one waveform on the file's clock, in [-1, 1), with what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.sound_in_pieces import Rate, open_sound
from pipeline.features.media.opening import MediaError
from pipeline.location import Location
from pipeline.store.damage import NO_DAMAGE, Damage

SHORTEST = 0.1
"""Seconds of sound below which openSMILE's frames of 60 ms, 10 ms apart, are too few: most functionals
would be 0 or no numbers."""


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

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        """Give it in one piece."""
        yield self.signal

    @property
    def duration(self) -> float:
        """Return its length, seconds."""
        return len(self.signal) / self.rate_hz


def read_sound(path: Location, rate_hz: Rate) -> Sound:
    """Decode the sound stream: all channels averaged, resampled, clipped, sample 0 at the file's origin.

    rate_hz: to which it is resampled; native: to none, the rate is the file's own and one that features can
    be made of; any: the file's own whatever it is, for who resamples later.

    Raises:
        MediaError: no such file, not media, no sound stream, no sound in it, samples in the scale of
            integers, time stamps that jump by hours.
        RemoteError: a URL whose server does not answer.
    """
    with open_sound(path, rate_hz) as pieces:
        signal = collected(pieces)
    return Sound(signal, pieces.rate_hz, pieces.damage, pieces.notes)


def collected(pieces: Iterable[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return pieces as one, (samples,), in memory that grows in place: an hour is never copied."""
    signal, place = np.zeros(0, np.float32), 0
    for piece in pieces:
        if place + len(piece) > len(signal):
            signal.resize(max(place + len(piece), len(signal) + len(signal) // 4, 2**16), refcheck=False)
        signal[place : place + len(piece)] = piece
        place += len(piece)
    signal.resize(place, refcheck=False)
    return signal


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
