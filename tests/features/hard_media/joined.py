"""Whole files, one after the other in one file: often of other rates and channels than the first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path

from tests.features.hard_media.case import Case, Heard, Seen, Told
from tests.features.hard_media.signals import FORTY, laid, tones
from tests.features.hard_media.writing import Pictures, Sound, write

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


def _joined_transport(
    *parts: tuple[int, int, bool],
    sound: str = "mp2",
    pictures: str = "libx264",
    length: float = 2.0,
) -> Callable[[Path], None]:
    """Return what joins transport streams of two seconds of sound, whose stamps each begin anew.

    parts: rate and channels of the sound, whether there are pictures. length: of the pictures, seconds.
    """

    def make(path: Path) -> None:
        whole = b""
        for number, (rate, channels, seen) in enumerate(parts):
            heard = Sound(tones((300 + 400 * number, 2.0), rate=rate, channels=channels), rate, sound)
            colours = (2 * FORTY)[20 * number :][: round(10 * length)]
            shown = [Pictures(colours, pictures, rate=Fraction(10))] if seen else []
            write(path, *shown, heard)
            whole += path.read_bytes()
        path.write_bytes(whole)

    return make


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
    Case(
        "joined.ts",
        _joined_transport((48000, 1, True), (48000, 1, True)),
        Heard(4.0, laid((300, 2.0), (700, 2.0)), within=0.2, margin=0.2, said="any"),
        Seen(4.0, "", 40, within=0.3, said="any"),
    ),
    Case(
        "joined_three.ts",
        _joined_transport((48000, 1, True), (48000, 1, True), (48000, 1, True), sound="aac"),
        Heard(6.0, laid((300, 2.0), (700, 2.0), (1100, 2.0)), within=0.3, margin=0.3, said="any"),
        Seen(6.0, "", within=0.4, said="any"),
    ),
    Case(
        "joined_channels.ts",
        _joined_transport((48000, 1, False), (48000, 2, False), sound="ac3"),
        Heard(4.0, laid((300, 2.0), (700, 2.0), within=0.3), within=0.3, margin=0.2, said="any"),
    ),
    Case(
        "joined_rates.ts",
        _joined_transport((48000, 2, True), (44100, 2, True)),
        Heard(4.0, laid((300, 2.0), (700, 2.0)), within=0.3, margin=0.2, said="any"),
        Seen(4.0, "", within=0.4, said="any"),
    ),
    Case(
        "joined_short_pictures.ts",
        _joined_transport((48000, 1, True), (48000, 1, True), length=1.0),
        Heard(4.0, laid((300, 2.0), (700, 2.0)), within=0.3, margin=0.2, said="any"),
        Seen(3.0, FORTY[:10] + FORTY[9] * 9 + "..", within=0.4, said="any"),
    ),
]
