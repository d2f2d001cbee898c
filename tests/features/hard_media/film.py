"""Six seconds of sound and pictures that tell the second, for files that are then broken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.features.hard_media.case import Heard, Seen
from tests.features.hard_media.signals import FORTY, laid, tones
from tests.features.hard_media.writing import Pictures, Sound, write

SECONDS = ((300, 1.0), (500, 1.0), (700, 1.0), (900, 1.0), (1100, 1.0), (1300, 1.0))
"""A tone for each second."""
SIX = laid(*SECONDS)
SIXTY = (FORTY * 2)[:60]
"""A picture for each 0.1 s."""
WHOLE_SOUND = Heard(6.0, SIX, within=0.1)
WHOLE_PICTURES = Seen(6.0, SIXTY, 60)
BROKEN = r"breaks off|broken|damaged|truncat|cannot be decoded|incomplete|invalid|ends (early|before|at)"
BAD_PACKET = "damaged|cannot be decoded|broken|invalid|corrupt|skipped|lost"
NOT_MEDIA = "cannot be decoded|not media|not a media"


def sound(rate: int, codec: str, **more) -> Sound:
    """Return the six seconds of sound."""
    return Sound(tones(*SECONDS, rate=rate), rate, codec, **more)


def film(
    path: Path, options: Mapping[str, str] | None = None, codec: str = "aac", pictures: str = "libx264"
) -> None:
    """Write sound and pictures. codec: of the sound."""
    # few pictures depend on each other: what is spoilt concerns a second
    own = {"crf": "18"} if pictures == "libx264" else {}
    write(path, Pictures(SIXTY, pictures, gop=10, options=own), sound(48000, codec), options=options)
