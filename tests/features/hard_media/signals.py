"""Signals and pictures whose content tells where they belong: one tone per second, one colour per picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.features.hard_media.case import LOUD, RMS, Tone

COLOURS = {
    "K": (0, 0, 0), "R": (255, 0, 0), "G": (0, 255, 0), "B": (0, 0, 255),
    "Y": (255, 255, 0), "M": (255, 0, 255), "C": (0, 255, 255), "W": (255, 255, 255),
}  # fmt: skip
"""A letter for each corner of the colour cube: no compression takes one for another."""
FORTY = "RRGGBBYYMMCCWWKKRRGGBBYYMMCCWWKKRRGGBBYY"
"""Forty pictures: four seconds at 10 Hz, every colour is shown for 0.2 s."""


def tones(*parts: tuple[float, float], rate: int = 16000, peak: float = LOUD, channels: int = 1):
    """Return (channels, frames): parts are (hz, seconds), one after the other; 0 Hz is silence."""
    pieces = [
        peak * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate) for hz, seconds in parts
    ]
    return np.repeat(np.concatenate(pieces)[None], channels, axis=0)


def laid(*parts: tuple[float, float], start: float = 0.0, rms: float = RMS, within: float = 0.1):
    """Return where the same parts lie in the file, the first at `start`."""
    found = []
    for hz, seconds in parts:
        found.append(Tone(start, start + seconds, hz, rms if hz else 0.0, within))
        start += seconds
    return tuple(found)


def solid(letter: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture of one colour, (height, width, 3); size: (width, height)."""
    return np.full((size[1], size[0], 3), COLOURS[letter], np.uint8)


def quarters(letters: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return a picture whose quarters, row by row, have four colours; size: (width, height)."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    y, x = size[1] // 2, size[0] // 2
    for letter, part in zip(
        letters, (image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:]), strict=True
    ):
        part[:] = COLOURS[letter]
    return image


def letter_of(image: NDArray[np.uint8]) -> str:
    """Return the letter of the colour in the middle of a picture, or of a quarter of one."""
    y, x = image.shape[0] // 2, image.shape[1] // 2
    middle = image[y - y // 2 : y + y // 2 + 1, x - x // 2 : x + x // 2 + 1].reshape(-1, 3)
    on = tuple(255 if level > 127 else 0 for level in np.median(middle, axis=0))
    return next(letter for letter, colour in COLOURS.items() if colour == on)


def corners_of(image: NDArray[np.uint8]) -> str:
    """Return the letters of a picture's quarters, row by row."""
    y, x = image.shape[0] // 2, image.shape[1] // 2
    return "".join(map(letter_of, (image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:])))
