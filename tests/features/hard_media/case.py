"""What is known of a hard file, from how it was made: its sound, its pictures and whether it may be used.

One case is one file: its name, the function that makes it, and what must be found in it. Times are
seconds from the file's origin, levels are root mean squares of samples in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LOUD = 0.3
"""Peak of the tones, unless a case says otherwise."""
RMS = LOUD / 2**0.5


@dataclass(frozen=True)
class Tone:
    """A tone and where it lies. hz: 0 for silence. within: share by which the level may differ."""

    start: float
    end: float
    hz: float
    rms: float = RMS
    within: float = 0.1


@dataclass(frozen=True)
class Heard:
    """The sound that a file holds.

    length: seconds, right to `within`. margin: seconds around a change of tone that are not looked at.
    mean: the constant part. peak: no sample is larger. said: pattern of what must be said of the file
    though it is used; empty: nothing may be said.
    """

    length: float
    tones: tuple[Tone, ...] = ()
    within: float = 0.04
    margin: float = 0.06
    mean: float = 0.0
    peak: float = 1.0
    said: str = ""


@dataclass(frozen=True)
class Seen:
    """The pictures that a file holds.

    shown: the colour's letter in the middle of each 0.1 s (`signals.COLOURS`; a dot is not looked at).
    distinct: number of pictures given at a rate of 20 Hz, None: not looked at. corners: letters of the four
    quarters, row by row, of the first picture. aspect: width by height as shown. within: seconds by which
    the length may differ. said: as in `Heard`.
    """

    length: float
    shown: str = ""
    distinct: int | None = None
    corners: str = ""
    aspect: float | None = None
    within: float = 0.06
    said: str = ""


@dataclass(frozen=True)
class Refused:
    """The stream cannot be used; words: pattern of the reason."""

    words: str


@dataclass(frozen=True)
class Told:
    """The stream is used with a word about it, or refused: both are right, silence is not.

    words: pattern of either. used: what is found in it if it is used.
    """

    words: str
    used: Heard | Seen


@dataclass(frozen=True)
class Case:
    """A hard file. heard, seen: None where a case is not about it (and nothing is asked)."""

    name: str
    make: Callable[[Path], None]
    heard: Heard | Refused | Told | None = None
    seen: Seen | Refused | Told | None = None
