"""What was found in a file against what is known of it: a list of differences in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tests.features.hard_media.case import Heard, Seen, Tone
from tests.features.hard_media.signals import corners_of, letter_of

PIECE = 0.1
"""Seconds at each end of a tone that are looked at by themselves: they say where it begins and ends."""


def unlike_heard(signal: NDArray[np.float32], rate: int, heard: Heard) -> list[str]:
    """Compare a waveform, (frames,), with what the file holds."""
    return list(_unlike_heard(np.asarray(signal, np.float64), rate, heard))


def _unlike_heard(signal: NDArray[np.float64], rate: int, heard: Heard) -> Iterator[str]:
    length = len(signal) / rate
    if abs(length - heard.length) > heard.within:
        yield f"{length:.3f} s of sound, expected {heard.length:.3f} +- {heard.within}"
    if not np.isfinite(signal).all():
        yield f"{np.count_nonzero(~np.isfinite(signal))} samples are no numbers"
        signal = np.nan_to_num(signal, posinf=0, neginf=0)
    if signal.size and (peak := np.abs(signal).max()) > heard.peak + 1e-6:
        yield f"a peak of {peak:.4g}, expected at most {heard.peak}"
    for tone in heard.tones:
        margin = min(heard.margin, (tone.end - tone.start) / 4)
        yield from _unlike_tone(signal, rate, tone, tone.start + margin, tone.end - margin, heard.mean)


def _unlike_tone(
    signal: NDArray[np.float64], rate: int, tone: Tone, first: float, last: float, mean: float
) -> Iterator[str]:
    whole = signal[round(first * rate) : round(last * rate)]
    where = f"from {first:.2f} to {last:.2f} s"
    if len(whole) < round((last - first) * rate) - 1:
        yield f"no sound {where}"
        return
    if tone.hz == 0:
        if (rms := _level(whole)) > 0.005:
            yield f"a level of {rms:.4f} {where}, expected silence"
        return
    if abs(whole.mean() - mean) > 0.01:
        yield f"a mean of {whole.mean():.4f} {where}, expected {mean:.4f}"
    if abs((rms := _level(whole)) / tone.rms - 1) > tone.within:
        yield f"a level of {rms:.5f} {where}, expected {tone.rms:.5f}"
    size = round(PIECE * rate)
    for piece, at in ((whole[:size], first), (whole[-size:], last - PIECE), (whole, first)):
        if abs((found := _pitch(piece, rate)) - tone.hz) > max(12.0, 0.6 * rate / len(piece)):
            yield f"a tone of {found:.0f} Hz at {at:.2f} s, expected {tone.hz:.0f}"


def _level(part: NDArray[np.float64]) -> float:
    """Return the root mean square about the mean."""
    return float(part.std())


def _pitch(part: NDArray[np.float64], rate: int) -> float:
    """Return the frequency of the strongest component, Hz."""
    spectrum = np.abs(np.fft.rfft((part - part.mean()) * np.hanning(len(part)), 4 * len(part)))
    return float(np.argmax(spectrum)) * rate / (4 * len(part))


def unlike_seen(
    pictures: Sequence[tuple[NDArray[np.uint8], range]], duration: float, seen: Seen
) -> list[str]:
    """Compare pictures and the ticks of 0.05 s at which each is shown with what the file holds."""
    return list(_unlike_seen(pictures, duration, seen))


def _unlike_seen(
    pictures: Sequence[tuple[NDArray[np.uint8], range]], duration: float, seen: Seen
) -> Iterator[str]:
    if abs(duration - seen.length) > seen.within:
        yield f"pictures last {duration:.3f} s, expected {seen.length:.3f} +- {seen.within}"
    if seen.distinct is not None and len(pictures) != seen.distinct:
        yield f"{len(pictures)} pictures, expected {seen.distinct}"
    ticks = [tick for _, own in pictures for tick in own]
    if ticks != list(range(len(ticks))):
        yield f"ticks are not 0, 1, 2, ...: {ticks[:20]}"
    shown = "".join(letter_of(image) * len(own) for image, own in pictures)[1::2]
    if seen.shown and not re.match(seen.shown.rstrip("."), shown):
        yield f"shows {shown}, expected {seen.shown}"
    first = pictures[0][0]
    if seen.corners and (corners := corners_of(first)) != seen.corners:
        yield f"quarters {corners}, expected {seen.corners}"
    if seen.aspect is not None and abs(first.shape[1] / first.shape[0] / seen.aspect - 1) > 0.02:
        yield f"a picture of {first.shape[1]} x {first.shape[0]}, expected a ratio of {seen.aspect:.3f}"
