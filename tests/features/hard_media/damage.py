"""Files with bad bytes amid good ones: packets of sound and pictures, heads of packets, junk between them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.features.hard_media.bytes import BLOCK_HEAD, insert, packets, patch, spoil
from tests.features.hard_media.case import Case, Heard, Refused, Seen
from tests.features.hard_media.film import (
    BAD_PACKET,
    BROKEN,
    SIX,
    SIXTY,
    WHOLE_PICTURES,
    WHOLE_SOUND,
    film,
    sound,
)
from tests.features.hard_media.writing import write

HOLED_SOUND = Heard(6.0, (*SIX[:2], *SIX[4:]), within=0.1, said=BAD_PACKET)
HOLED_PICTURES = Seen(6.0, SIXTY[:20] + "." * 20 + SIXTY[40:], within=0.11, said=BAD_PACKET)


def _spoilt(name: str, kind: str, second: float, count: int, byte: int, heard, seen, **more) -> Case:
    def make(path: Path) -> None:
        film(path, **more)
        first = next(number for number, packet in enumerate(packets(path, kind)) if packet[2] >= second)
        spoil(path, kind, range(first, first + count), byte)

    return Case(name, make, heard, seen)


def _spoilt_sound(
    name: str, codec: str, rate: int, byte: int = 0, count: int = 3, after=(*SIX[:2], *SIX[4:])
) -> Case:
    def make(path: Path) -> None:
        write(path, sound(rate, codec))
        first = next(number for number, packet in enumerate(packets(path, "audio")) if packet[2] >= 2.5)
        spoil(path, "audio", range(first, first + count), byte)

    return Case(name, make, Heard(6.0, after, within=0.12, margin=0.12, said="any"))


def _lost_blocks(name: str, codec: str, byte: int) -> Case:
    """A Matroska file in which the head of a packet is spoilt too: the rest of its cluster of 5 s is lost."""

    def make(path: Path) -> None:
        write(path, sound(48000, codec))
        place, size, _ = next(packet for packet in packets(path, "audio") if packet[2] >= 2.5)
        patch(path, place - BLOCK_HEAD, bytes([byte]) * (size + BLOCK_HEAD))

    return Case(name, make, Heard(6.0, (*SIX[:2], SIX[5]), within=0.12, margin=0.12, said="any"))


def _mp3(path: Path) -> bytes:
    """Return an mp3 without any header: frames and nothing else."""
    write(path, sound(44100, "libmp3lame", bit_rate=64000), options={"id3v2_version": "0", "write_xing": "0"})
    return path.read_bytes()


def _junk_in_mp3(path: Path) -> None:
    whole = _mp3(path)
    noise = np.random.default_rng(7).integers(0, 255, 3000, np.uint8).tobytes()
    path.write_bytes(whole[: len(whole) // 2] + noise + whole[len(whole) // 2 :])


def _zeros_in_mp3(path: Path) -> None:
    whole = bytearray(_mp3(path))
    whole[len(whole) // 2 : len(whole) // 2 + 3000] = bytes(3000)
    path.write_bytes(whole)


def _tag_amid(path: Path) -> None:
    """A tag of 200 kB between the packets of an mp3, as stream recorders leave it."""
    whole = _mp3(path)
    frame = whole.index(whole[:2], len(whole) // 2)
    insert(path, frame, b"ID3\x03\0\0\x00\x0c\x1a\x40" + bytes(200_000))


CASES = [
    _spoilt("sound_zeroed.mp4", "audio", 2.5, 3, 0, HOLED_SOUND, WHOLE_PICTURES),
    _spoilt("sound_ones.mp4", "audio", 2.5, 3, 0xFF, HOLED_SOUND, WHOLE_PICTURES),
    _spoilt(
        "sound_first_packet.mp4",
        "audio",
        0.0,
        1,
        0,
        Heard(6.0, SIX[1:], within=0.1, said=BAD_PACKET),
        WHOLE_PICTURES,
    ),
    _spoilt("pictures_zeroed.mp4", "video", 2.5, 1, 0, WHOLE_SOUND, HOLED_PICTURES),
    _spoilt("pictures_ones.mkv", "video", 2.5, 2, 0xFF, WHOLE_SOUND, HOLED_PICTURES, codec="flac"),
    _spoilt(
        "all_sound_zeroed.mp4",
        "audio",
        -1.0,
        280,
        0,
        Refused(BAD_PACKET + "|no sound|" + BROKEN),
        WHOLE_PICTURES,
    ),
    _spoilt_sound("packets_zeroed.flac", "flac", 16000, count=1),
    _spoilt_sound("packets_ones.mka", "libopus", 48000, 0xFF, 5),
    _spoilt_sound("packets_zeroed.mka", "ac3", 48000),
    _spoilt_sound("packets_zeroed.mp3", "libmp3lame", 48000, after=(*SIX[:2], SIX[4])),
    _lost_blocks("blocks_ones.mka", "libopus", 0xFF),
    _lost_blocks("blocks_zeroed.mka", "ac3", 0),
    Case("junk_amid.mp3", _junk_in_mp3, Heard(6.0, (*SIX[:2], *SIX[4:]), within=0.5, margin=0.4, said="any")),
    Case("zeros_amid.mp3", _zeros_in_mp3, Heard(6.0, SIX[:2], within=0.5, margin=0.15, said="any")),
    Case("tag_amid.mp3", _tag_amid, Heard(6.0, (*SIX[:2], *SIX[4:]), within=0.2, margin=0.15, said="any")),
]
