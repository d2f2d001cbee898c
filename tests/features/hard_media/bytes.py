"""Edits of a file's bytes: what no writer of media would write, and what cameras and crashes leave."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import av


def patch(path: Path, at: int, new: bytes) -> None:
    """Overwrite bytes."""
    whole = bytearray(path.read_bytes())
    whole[at : at + len(new)] = new
    path.write_bytes(whole)


def boxes(whole: bytes, name: bytes) -> list[int]:
    """Return where the content of each mp4 box of a name begins."""
    found, at = [], whole.find(name)
    while at >= 0:
        found.append(at + 4)
        at = whole.find(name, at + 4)
    return found


def display_matrix(path: Path, *matrix: int) -> None:
    """Write the matrix (a, b, c, d) of an mp4's pictures: a point moves to (ax + cy, bx + dy)."""
    whole = path.read_bytes()
    a, b, c, d = (value << 16 for value in matrix)
    for at in boxes(whole, b"tkhd"):
        if struct.unpack(">II", whole[at + 76 : at + 84])[0]:  # a width: pictures
            patch(path, at + 40, struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30))
            return
    raise AssertionError("no track with a width")


def media_edit(path: Path, skip: float) -> None:
    """Let the edit list of each track of a mov begin `skip` seconds into its media."""
    whole = path.read_bytes()
    scales = [struct.unpack(">I", whole[at + 12 : at + 16])[0] for at in boxes(whole, b"mdhd")]
    movie = struct.unpack(">I", whole[boxes(whole, b"mvhd")[0] + 12 :][:4])[0]
    for at, scale in zip(boxes(whole, b"elst"), scales, strict=True):
        count, duration, start = struct.unpack(">IIi", whole[at + 4 : at + 16])
        assert count == 1
        patch(path, at + 8, struct.pack(">Ii", duration - round(skip * movie), start + round(skip * scale)))


def matroska_clusters(path: Path, move: Callable[[int], int]) -> None:
    """Change the time of each Matroska cluster, ms; the new time takes as many bytes as the old."""
    whole = path.read_bytes()
    moved, at = 0, whole.find(b"\x1f\x43\xb6\x75")
    while at >= 0:
        stamp = whole.index(b"\xe7", at + 4)
        assert stamp - at < 16
        size = whole[stamp + 1] & 0x7F
        old = int.from_bytes(whole[stamp + 2 : stamp + 2 + size], "big")
        patch(path, stamp + 2, move(old).to_bytes(size, "big"))
        moved += move(old) != old
        at = whole.find(b"\x1f\x43\xb6\x75", at + 4)
    assert moved


BLOCK_HEAD = 4
"""Bytes of a Matroska block before its packet: track, time, flags."""


def matroska_length(path: Path, length: float) -> None:
    """Change the length that a Matroska file's header states, ms."""
    patch(path, path.read_bytes().index(b"\x44\x89\x88") + 3, struct.pack(">d", length))


def packets(path: Path, kind: str) -> list[tuple[int, int, float]]:
    """Return place, length in bytes and time of each packet of the streams of a kind."""
    with av.open(str(path)) as container:
        head = BLOCK_HEAD if "matroska" in container.format.name else 0
        return [
            (packet.pos + head, packet.size, float(packet.pts * packet.time_base))
            for packet in container.demux()
            if packet.size and packet.stream.type == kind
        ]


def spoil(path: Path, kind: str, numbers: range, byte: int = 0) -> None:
    """Overwrite whole packets."""
    for place, size, _ in [packets(path, kind)[number] for number in numbers]:
        patch(path, place, bytes([byte]) * size)


def cut(path: Path, share: float) -> None:
    """Leave the first share of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: round(len(whole) * share)])


def insert(path: Path, at: int, new: bytes) -> None:
    """Put bytes between others."""
    whole = path.read_bytes()
    path.write_bytes(whole[:at] + new + whole[at:])
