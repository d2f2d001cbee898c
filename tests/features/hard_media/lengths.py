"""Files that end before or after the length that their header states."""

from __future__ import annotations

import struct
from pathlib import Path

import av
import soundfile

from tests.features.hard_media.bytes import boxes, cut, matroska_length, patch
from tests.features.hard_media.case import Case, Heard, Refused, Seen, Told
from tests.features.hard_media.clocks import later
from tests.features.hard_media.film import (
    BROKEN,
    NOT_MEDIA,
    SECONDS,
    SIX,
    SIXTY,
    WHOLE_PICTURES,
    WHOLE_SOUND,
    film,
    sound,
)
from tests.features.hard_media.signals import tones
from tests.features.hard_media.writing import Pictures, Sound, write


def _pcm(path: Path, parts=SECONDS) -> None:
    soundfile.write(path, tones(*parts)[0], 16000)


def _lengths(name: str, riff: int, data: int) -> Case:
    """A wav that was written into a pipe: whole, with lengths in its header that are not its own."""

    def make(path: Path) -> None:
        _pcm(path, SECONDS[:2])
        patch(path, 4, struct.pack("<I", riff))
        patch(path, path.read_bytes().index(b"data") + 4, struct.pack("<I", data))

    return Case(name, make, Heard(2.0, SIX[:2], within=0.002))


def _piped(name: str, container: str, fields: dict[int, bytes]) -> Case:
    def make(path: Path) -> None:
        soundfile.write(path, tones(*SECONDS[:2])[0], 16000, "PCM_16", format=container)
        for at, new in fields.items():
            patch(path, at, new)

    return Case(name, make, Heard(2.0, SIX[:2], within=0.002))


def _flac_without_length(path: Path) -> None:
    """STREAMINFO's number of samples is 0, which means unknown: flac written into a pipe."""
    soundfile.write(path, tones(*SECONDS[:2])[0], 16000)
    whole = path.read_bytes()
    patch(path, 21, bytes([whole[21] & 0xF0]) + bytes(4))


def _to_the_end(path: Path) -> None:
    """The last box of an mp4 states the length 0: up to the end of the file."""
    film(path, {"movflags": "faststart"})
    patch(path, boxes(path.read_bytes(), b"mdat")[0] - 8, bytes(4))


def _hour_in_header(path: Path) -> None:
    """An mp4 whose movie and tracks state an hour."""
    film(path)
    for name, scale_at, length_at in ((b"mvhd", 12, 16), (b"mdhd", 12, 16)):
        for at in boxes(path.read_bytes(), name):
            scale = struct.unpack(">I", path.read_bytes()[at + scale_at :][:4])[0]
            patch(path, at + length_at, struct.pack(">I", 3600 * scale))


def _hour_in_wav(path: Path) -> None:
    """A wav whose header states an hour: nobody can tell it from one that was cut."""
    _pcm(path)
    patch(path, path.read_bytes().index(b"data") + 4, struct.pack("<I", 3600 * 32000))


def _hour_in_flac(path: Path) -> None:
    """A flac whose header states an hour."""
    soundfile.write(path, tones(*SECONDS)[0], 16000)
    whole = path.read_bytes()
    patch(path, 21, bytes([whole[21] & 0xF0]) + struct.pack(">I", 3600 * 16000))


def _hour_in_xing(path: Path) -> None:
    """An mp3 whose first frame states as many frames as an hour has."""
    write(path, sound(44100, "libmp3lame", bit_rate=64000))
    patch(path, path.read_bytes().index(b"Info") + 8, struct.pack(">I", 3600 * 44100 // 1152))


def _hour_in_webm(path: Path) -> None:
    """A webm whose header states an hour."""
    write(path, sound(48000, "libopus"))
    matroska_length(path, 3_600_000)


def _index_lost(path: Path) -> None:
    """An avi without its index, as a camera leaves it whose battery ends."""
    film(path, codec="libmp3lame", pictures="mpeg4")
    whole = path.read_bytes()
    path.write_bytes(whole[: whole.rindex(b"idx1")])


class _Pipe:
    """What can be written once, from its beginning to its end."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, part: bytes) -> int:
        self.written.append(bytes(part))
        return len(part)


def _unknown_asf(path: Path) -> None:
    """A wma that was written into a pipe: the header states what was known before its first packet."""

    pipe = _Pipe()
    stream = Sound(tones(*SECONDS[:2], rate=44100), 44100, "wmav2", bit_rate=64000)
    with av.open(pipe, "w", format="asf") as container:
        added = stream.add(container)
        container.mux(stream.packets(added))
    path.write_bytes(b"".join(pipe.written))


def _cut_wav(path: Path) -> None:
    _pcm(path)
    cut(path, 0.5)


def _cut(
    name: str, codec: str, rate: int, length: float, share: float = 0.5, options=None, within: float = 0.3
) -> Case:
    def make(path: Path) -> None:
        write(path, sound(rate, codec, bit_rate=64000), options=options)
        cut(path, share)

    return Case(name, make, Told(BROKEN, Heard(length, SIX[: int(length - within)], within=within)))


def _unended(name: str, codec: str, rate: int, options=None) -> Case:
    """Formats whose header need not state a length: what is there is whole, as a recorder left it."""

    def make(path: Path) -> None:
        write(path, sound(rate, codec, bit_rate=64000), options=options)
        cut(path, 0.5)

    return Case(name, make, Heard(3.0, SIX[:2], within=0.35, said="any"))


def _cut_film(name: str, share: float, options, late: int = 0, **streams: str) -> Case:
    """A film that breaks off. late: pictures by which the container stamps all but the first too late."""

    def make(path: Path) -> None:
        film(path, options, **streams)
        cut(path, share)

    length = 6 * share
    return Case(
        name,
        make,
        Told(BROKEN, Heard(length, SIX[: int(length - 0.6)], within=0.6)),
        Told(BROKEN, Seen(length, SIXTY[0] * late + SIXTY[: int(10 * (length - 0.6))], within=0.6)),
    )


def _cut_late(path: Path) -> None:
    """A film whose clock begins at ten hours, and which breaks off."""
    move = later(36000.0)
    write(path, Pictures(SIXTY, "mpeg4", gop=10, move=move), sound(48000, "flac", move=move))
    cut(path, 0.75)


def _no_moov(path: Path) -> None:
    film(path)
    patch(path, path.read_bytes().index(b"moov"), b"lost")


def _moov_lost(path: Path) -> None:
    film(path)
    cut(path, 0.6)


CASES = [
    _lengths("length_unknown.wav", 0xFFFFFFFF, 0xFFFFFFFF),
    _lengths("length_of_sox.wav", 0x7FFFF024, 0x7FFFF000),
    _lengths("length_two_gigabytes.wav", 0x80000024, 0x80000000),
    _lengths("length_zero.wav", 0, 0),
    Case("length_of_an_hour.wav", _hour_in_wav, Told(BROKEN, Heard(6.0, SIX, within=0.002))),
    _piped("length_unknown.au", "AU", {8: b"\xff" * 4}),
    _piped("length_unknown.w64", "W64", {}),
    Case("length_unknown.flac", _flac_without_length, Heard(2.0, SIX[:2], within=0.002)),
    Case("length_to_the_end.mp4", _to_the_end, WHOLE_SOUND, WHOLE_PICTURES),
    Case(
        "length_of_an_hour.mp4",
        _hour_in_header,
        Heard(6.0, SIX, within=0.1, said="any"),
        Seen(6.0, SIXTY, 60, said="any"),
    ),
    Case("length_of_an_hour.flac", _hour_in_flac, Told(BROKEN, Heard(6.0, SIX, within=0.002))),
    Case("length_of_an_hour.mp3", _hour_in_xing, Told(BROKEN, Heard(6.0, SIX, within=0.1))),
    # all bytes of which the file speaks are there
    Case("length_of_an_hour.webm", _hour_in_webm, Heard(6.0, SIX, within=0.1, said="any")),
    Case("index_lost.avi", _index_lost, WHOLE_SOUND, Seen(6.0, "", 60, within=0.11)),
    Case("cut.wav", _cut_wav, Told(BROKEN, Heard(3.0, SIX[:3], within=0.02))),
    _cut("cut.flac", "flac", 16000, 3.0, within=0.8),
    _cut("cut.m4a", "aac", 44100, 3.0, options={"movflags": "faststart"}),
    Case("length_unknown.wma", _unknown_asf, Heard(2.0, SIX[:2], within=0.15)),
    _cut("cut.wma", "wmav2", 44100, 3.0),
    _cut("cut.mp3", "libmp3lame", 44100, 3.0),
    _unended("cut_without_xing.mp3", "libmp3lame", 44100, {"write_xing": "0"}),
    _unended("cut.ogg", "libopus", 48000),
    _unended("cut.aac", "aac", 44100),
    _unended("cut.ts", "mp2", 48000),
    Case(
        "cut_late.mkv",
        _cut_late,
        Told(BROKEN, Heard(4.5, SIX[:3], within=0.6)),
        Told(BROKEN, Seen(4.5, SIXTY[:38], within=0.6)),
    ),
    _unended("cut_live.webm", "libopus", 48000, {"live": "1"}),
    _cut_film("cut.wmv", 0.75, {}, codec="libmp3lame", pictures="wmv2"),
    _cut_film("cut.mp4", 0.75, {"movflags": "faststart"}),
    _cut_film("cut.mkv", 0.75, None, codec="libopus"),
    _cut_film("cut.avi", 0.75, None, late=1, codec="libmp3lame", pictures="mpeg4"),
    Case("no_moov.mp4", _no_moov, Refused(NOT_MEDIA), Refused(NOT_MEDIA)),
    Case("moov_lost.mp4", _moov_lost, Refused(NOT_MEDIA), Refused(NOT_MEDIA)),
]
