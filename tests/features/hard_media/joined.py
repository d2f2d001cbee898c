"""Whole files, one after the other in one file: often of other rates and channels than the first."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.features.hard_media.case import Case, Heard, Told
from tests.features.hard_media.signals import laid, tones
from tests.features.hard_media.writing import Sound, write

TWO = (((300, 2.0),), ((700, 2.0),))
LOST = "cannot be decoded|not yet implemented|changes|breaks off|part"
JOINED = Heard(4.0, laid((300, 2.0), (700, 2.0)), within=0.2, margin=0.15, said="any")


def _joined(
    name: str,
    first: tuple[str, int, int],
    second: tuple[str, int, int],
    options: Mapping[str, str] | None = None,
    heard: Heard | Told = JOINED,
) -> Case:
    """Return a case of two files. first, second: codec, rate, channels."""

    def make(path: Path) -> None:
        whole = b""
        for parts, (codec, rate, channels) in zip(TWO, (first, second), strict=True):
            write(path, Sound(tones(*parts, rate=rate, channels=channels), rate, codec), options=options)
            whole += path.read_bytes()
        path.write_bytes(whole)

    return Case(name, make, heard)


def _joined_mp3(name: str, rate: int, channels: int, options: Mapping[str, str]) -> Case:
    return _joined(name, ("libmp3lame", 44100, 2), ("libmp3lame", rate, channels), options)


BARE = {"id3v2_version": "0", "write_xing": "0"}
CASES = [
    _joined_mp3("joined.mp3", 44100, 2, BARE),
    _joined_mp3("joined_rates.mp3", 48000, 2, BARE),
    _joined_mp3("joined_channels.mp3", 44100, 1, BARE),
    _joined_mp3("joined_with_headers.mp3", 32000, 1, {"id3v2_version": "4"}),
    _joined("chained.ogg", ("libopus", 48000, 1), ("libopus", 48000, 1)),
    # FFmpeg's decoder refuses the second part: that may not pass in silence
    _joined("chained_channels.ogg", ("libopus", 48000, 1), ("libopus", 48000, 2), heard=Told(LOST, JOINED)),
    _joined("chained_codecs.ogg", ("libopus", 48000, 1), ("flac", 48000, 1), heard=Told(LOST, JOINED)),
    _joined("chained.flac", ("flac", 16000, 1), ("flac", 16000, 1)),
    _joined("chained_rates.flac", ("flac", 16000, 1), ("flac", 44100, 2), heard=Told(LOST, JOINED)),
    _joined("joined.aac", ("aac", 44100, 2), ("aac", 44100, 2)),
    _joined("joined_rates.aac", ("aac", 44100, 1), ("aac", 24000, 2)),
    _joined("joined.mp2", ("mp2", 44100, 2), ("mp2", 32000, 1)),
    _joined("joined_rates.ac3", ("ac3", 48000, 2), ("ac3", 44100, 1)),
]
