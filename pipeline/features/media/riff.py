"""The head of a wav or avi file -> its chunks, and how long the packets of plain samples shall be.

FFmpeg reads a wav of plain samples in packets of a few hundredths of a second, and what Python does for each
of them would take as long as everything else that decoding is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

from pipeline.location import Location

HEADER = 1 << 16
"""Bytes within which the chunks of a wav or avi header lie."""
PLAIN = (1, 3, 6, 7)
"""Formats of samples that stand for themselves: integers, floats, A-law, mu-law. Of all others packets stay
as they are, since one that cannot be decoded would take more sound along."""
EXTENSIBLE = 0xFFFE
"""The format is named later in the same chunk."""
LITTLE = 0.01
"""Share of the samples: less behind them is what programs pad files with."""
SHORTEST, LONGEST = 1 << 12, 1 << 20
"""Bytes of a packet, whatever the header says of its seconds."""


def chunks(head: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of the chunks that begin within the head of a RIFF file.

    place: where what it holds begins. size: as it is stated.
    """
    place = 12
    while place + 8 <= len(head):
        name, size = struct.unpack_from("<4sI", head, place)
        yield name, place + 8, size
        place += 8 + size + size % 2


def unread(path: Location) -> int:
    """Return the bytes behind the samples of a wav that are no chunk: its header states too few; else 0."""
    with path.open("rb") as file:
        head = file.read(HEADER)
        for name, place, size in chunks(head):
            if name != b"data" or not size:
                continue
            behind = place + size + size % 2
            whole = file.seek(0, 2)
            file.seek(min(behind, whole))
            after = file.read(8)
            is_chunk = len(after) == 8 and after[:4].isascii() and after[:4].decode().isprintable()
            left = whole - behind
            return 0 if is_chunk or left < max(SHORTEST, size * LITTLE) else left
    return 0


def packet_options(path: Location) -> dict[str, str]:
    """Return the options by which FFmpeg reads a wav on this machine in packets of a second, else none."""
    if not isinstance(path, Path):
        return {}
    try:
        with path.open("rb") as file:
            head = file.read(HEADER)
    except OSError:  # FFmpeg will say why
        return {}
    if head[:4] not in (b"RIFF", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return {}
    for name, place, size in chunks(head):
        if name == b"fmt " and min(size, len(head) - place) >= 16:
            kind, _, _, bytes_per_second = struct.unpack_from("<HHII", head, place)
            if kind == EXTENSIBLE and min(size, len(head) - place) >= 26:
                (kind,) = struct.unpack_from("<H", head, place + 24)
            longer = str(min(max(bytes_per_second, SHORTEST), LONGEST))
            # FFmpeg looks through packets whether samples are DTS in disguise: through one of these
            return {"max_size": longer, "max_probe_packets": "1"} if kind in PLAIN else {}
    return {}
