"""Whether a media file breaks off and how much of it is missing; the refusal of what misses too much."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import av

from pipeline.features.media.clock import packet_end
from pipeline.features.media.opening import MediaError, open_media, origin
from pipeline.features.media.riff import HEADER, chunks
from pipeline.location import Location, RemotePath
from pipeline.store.damage import Damage

TOLERANCE = 1.0
"""Seconds by which the last packet may end before the length that the header states, and as a share:"""
SHARE = 0.05
LEAST = 0.1
"""Seconds below which nothing is said to be missing: streams of a file end a few packets apart."""
NO_LENGTH = (0x0000_0000, 0x8000_0000, 0x1_0000_0000)
"""Lengths that programs write which do not know it (to a pipe), or a little less."""
FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""Identity of the object in an ASF header (wma, wmv) that states size and length."""
LONGEST = 12 * 3600.0
"""Seconds beyond which a stated length ten times the real one is a wrong entry, not a missing end."""
WITHOUT_HEADER = ("aac", "ac3", "eac3", "dts", "amr", "h264", "hevc", "mpegvideo", "m4v")
"""Formats without a header: FFmpeg guesses their length from the first packets' bit rate."""


def require_whole(path: Location, damage: Damage, max_damaged_share: float, key: str) -> None:
    """Refuse a medium of which too much is missing.

    key: of the limit in params.yaml.

    Raises:
        MediaError: a larger share is missing than `max_damaged_share`.
    """
    if damage.share > max_damaged_share:
        raise MediaError(
            f"{path}: {damage.words} ({damage.share:.1%} of it, allowed is {max_damaged_share:.1%}: {key})"
        )


class Broken(NamedTuple):
    """A file that breaks off: where, and how long it would be, seconds.

    why: the demuxer's words, if they are known. all_there: its bytes are complete: the header is wrong.
    """

    end: float
    whole: float
    why: str = ""
    all_there: bool = False

    @property
    def missing(self) -> float:
        """Return the seconds that are missing."""
        return 0.0 if self.all_there else self.whole - self.end

    def __str__(self) -> str:
        """Say so."""
        if self.all_there:
            return f"its header states {self.whole:.1f} s, but it ends at {self.end:.1f} s and is not cut"
        if self.why:
            return f"breaks off at {self.end:.1f} s of some {self.whole:.1f} s: {self.why}"
        return f"breaks off at {self.end:.1f} s of the {self.whole:.1f} s that its header states"


def broken_off(
    path: Location,
    container: av.container.InputContainer,
    stream: Any,
    end: float,
    stopped: tuple[str, int] | None,
) -> Broken | None:
    """Say whether a file breaks off before the end of a stream.

    end: of the last packet, seconds since the origin of the file. stopped: why the demuxer gave up, and at
    which byte; how much is missing is then guessed by the bytes.
    """
    if stopped is not None and 0 < stopped[1] < _size(path):
        return Broken(end, end * _size(path) / stopped[1], stopped[0])
    whole = _stated(path, container, stream)
    if whole is None or end >= whole - max(LEAST, min(TOLERANCE, SHARE * whole)):
        return None
    if whole > LONGEST and whole > 10 * end:
        return None
    # it is missing from all streams, or this one is just shorter than another
    if _latest(path) >= whole - LEAST:
        return None
    if container.format.name.startswith("matroska") and _segment_is_whole(path):
        return Broken(end, whole, all_there=True)
    return Broken(end, whole)


def _stated(path: Location, container: av.container.InputContainer, stream: Any) -> float | None:
    """Return how long the header says that the stream is, seconds; None: it does not, or is not believed."""
    name = container.format.name
    length = None if container.duration is None else container.duration / av.time_base
    if length is not None and origin(container) > 0:  # some state where it ends, not how long it is
        length -= origin(container)
    if name in ("wav", "avi"):
        return _riff_length(path, length)
    if name == "asf":  # FFmpeg guesses by the bit rate where the file is not as long as its header says
        return _asf_length(path)
    if name.startswith("mov"):
        entries = [s.index_entries for s in container.streams if len(s.index_entries)]
        last = max((each[len(each) - 1].pos + each[len(each) - 1].size for each in entries), default=0)
        if entries and last <= _size(path):  # all that the index names is there
            return None
        own = stream.duration and float(stream.duration * stream.time_base)
        return own or length
    if name == "mp3" and length is not None and stream.codec_context.bit_rate:
        guessed = 8 * _size(path) / stream.codec_context.bit_rate
        return None if abs(length - guessed) < SHARE * guessed else length
    if name in WITHOUT_HEADER or container.format.flags & 0x0200:
        return None
    return length


def _size(path: Location) -> int:
    return (path.stamp() or (0, ""))[0] if isinstance(path, RemotePath) else path.stat().st_size


def _riff_length(path: Location, found: float | None) -> float | None:
    """Return the seconds that a wav or avi header states.

    found: what FFmpeg says, which corrects it by the file's length.
    """
    with path.open("rb") as file:
        head = file.read(HEADER)
    if head[:4] != b"RIFF" or len(head) < 56:
        return None
    if head[8:12] == b"AVI ":
        (size,), (picture,), (count,) = (struct.unpack_from("<I", head, place) for place in (4, 32, 48))
        if _unknown(size) or size + 8 <= _size(path) or head[24:28] != b"avih":
            return None
        # without pictures it states bytes only
        return picture * count / 1e6 or (found or 0.0) * (size + 8) / _size(path) or None
    for name, place, size in chunks(head):
        if name == b"data":
            there = _size(path) - place
            # by bytes: the rate in the header is a mean, or wrong, where sound is compressed
            return None if _unknown(size) or size <= there or not there else (found or 0.0) * size / there
    return None


def _asf_length(path: Location) -> float | None:
    """Return the seconds that the header of a wma or wmv states if the file is cut, else None."""
    with path.open("rb") as file:
        head = file.read(HEADER)
    # the object "file properties": size of it and an identity, then what follows, in units of 100 ns and ms
    place = head.find(FILE_PROPERTIES) + 40
    if place < 40 or len(head) < place + 52:
        return None
    size, _, _, length, _, preroll, flags = struct.unpack_from("<6QI", head, place)
    if flags & 1 or size <= _size(path):  # broadcast: nothing is known of its end
        return None
    return max(0.0, length / 1e7 - preroll / 1e3) or None


def _segment_is_whole(path: Location) -> bool:
    """Say whether a Matroska file is as long as its segment says; if it does not, nothing is known."""
    with path.open("rb") as file:
        head = file.read(HEADER)
    place = head.find(b"\x18\x53\x80\x67") + 4
    if place < 4 or len(head) < place + 8 or not head[place]:
        return False
    # a number of 1 to 8 bytes: its first bit set says how many; all others set: not known
    count = 9 - head[place].bit_length()
    size = int.from_bytes(head[place : place + count], "big") & ((1 << 7 * count) - 1)
    return size != (1 << 7 * count) - 1 and place + count + size <= _size(path)


def _unknown(size: int) -> bool:
    return any(0 <= length - size <= HEADER for length in NO_LENGTH)


def _latest(path: Location) -> float:
    """Return where the last packet of any stream ends by its own stamps, seconds; nothing is decoded."""
    latest = 0.0
    try:
        with open_media(path) as container:
            start = origin(container)
            for packet in container.demux():  # captions count: they may stay longest
                if not packet.is_corrupt:
                    latest = max(latest, packet_end(packet, start))
    except MediaError:  # the packet at which it breaks off
        pass
    return latest
