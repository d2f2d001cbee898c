"""An opened stream -> its decoded frames on the file's clock, with what could not be decoded in between.

Players go on after a packet that cannot be decoded, and so does this. Stamps that begin anew, as in files
joined end to end, run on from where the part before ended: for all streams of the file alike where the
container may hold such parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import av

from pipeline.features.media import KINDS, MediaError, named, origin, streams_of
from pipeline.location import Location

LONGEST_HOLE = 1800.0
"""Seconds without sound or pictures that stamps may claim at once; more is a lie or no recording."""
ANEW = 1.0
"""Seconds from the stream's first stamp within which stamps that go back count as begun anew."""
BACK = 10.0
"""Seconds by which stamps that go back begin anew wherever they go; less is an overlap, but for containers
that may hold parts, where it begins anew as well."""
SLIGHT = 0.1
"""Seconds by which stamps may go back, or be off, without a meaning."""
RAW = ("aac", "mp3", "ac3", "eac3", "dts", "amr", "amrnb", "amrwb")
"""Formats without stamps: FFmpeg makes them, of the first packets' rate."""
DISCONTINUOUS = 0x0200
"""FFmpeg's flag AVFMT_TS_DISCONT: a container that may hold parts with clocks of their own."""


class Lost(NamedTuple):
    """A packet that cannot be decoded: its time (None: unknown) and length (0: unknown), seconds."""

    time: float | None
    length: float


class Decoded:
    """The frames of a stream as they are decoded, and a `Lost` for each packet that cannot be.

    Known once all were given: `end`, where the stream ends by its packets, seconds since the file's origin;
    `parts`, where its stamps began anew, seconds; `stopped`, why the demuxer gave up before the file's end,
    and at which byte.
    """

    def __init__(self, path: Location, container: av.container.InputContainer, stream: Any) -> None:
        """Name the stream; it is decoded when its frames are asked for."""
        self.path = path
        self.container = container
        self.stream = stream
        self.end = 0.0
        self.parts: list[float] = []
        self.stopped: tuple[str, int] | None = None

    def __iter__(self) -> Iterator[Any]:
        """Decode.

        Raises:
            MediaError: the demuxer gave up before the first packet, or the stamps jump by hours.
        """
        clock = _Clock(self.path, parts=bool(self.container.format.flags & DISCONTINUOUS))
        start = origin(self.container)
        counted = 0.0
        for packet in self._packets(clock):
            own = packet.stream is self.stream
            if own:
                # by their own stamps, as they are moved, or, if stamps overlap, by their lengths
                counted += packet_length(packet)
                self.end = max(self.end, packet_end(packet, start), counted)
            clock.shift(packet)
            if not own:
                continue
            self.end = max(self.end, packet_end(packet, start))
            for piece in _frames(self.path, packet, start):
                clock.pass_by(piece)
                yield piece
        self.parts = [time - start for time in clock.anew]
        with named(self.path):
            yield from _flushed(self.stream)

    def _packets(self, clock: _Clock) -> Iterator[av.Packet]:
        read = [self.stream]
        if clock.parts:  # whichever stream begins anew first moves the others along
            first = [streams_of(self.container, kind)[:1] for kind in KINDS]
            read += [stream for streams in first for stream in streams if stream is not self.stream]
        packets, place = self.container.demux(read), 0
        while True:
            try:
                with named(self.path):
                    packet = next(packets, None)
            except MediaError as error:
                if not clock.last:
                    raise
                # what was read until here stands
                self.stopped = (str(error).removeprefix(f"{self.path}: "), place)
                return
            if packet is None:
                return
            place = max(place, (packet.pos or 0) + packet.size)
            yield packet


def _frames(path: Location, packet: av.Packet, start: float) -> Iterator[Any]:
    try:
        with named(path):
            frames = packet.decode()
    except MediaError:
        if packet.size == 0:  # the decoder's end
            return
        stamp = packet.pts if packet.pts is not None else packet.dts
        time = None if stamp is None else float(stamp * packet.time_base) - start
        yield Lost(time, packet_length(packet))
        return
    yield from frames


def _flushed(stream: Any) -> list[Any]:
    try:
        return list(stream.codec_context.decode(None))
    except av.FFmpegError:  # flushed already at the last packet
        return []


def packet_end(packet: av.Packet, origin: float) -> float:
    """Return where a packet ends, seconds since the file's origin; 0 if it does not say."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None or packet.time_base is None:
        return 0.0
    return float(stamp * packet.time_base) - origin + packet_length(packet)


def packet_length(packet: av.Packet) -> float:
    """Return how long a packet lasts, seconds; 0 if it does not say so, or nothing sensible."""
    if not packet.duration or packet.time_base is None:
        return 0.0
    length = float(packet.duration * packet.time_base)
    return length if 0 < length <= LONGEST_HOLE else 0.0


def joined(parts: list[float]) -> list[str]:
    """Say that a file is of several parts; parts: where each but the first begins, seconds."""
    if not parts:
        return []
    return [
        f"its time stamps begin anew {len(parts)} times, first at {parts[0]:.2f} s: it runs on from there"
    ]


def too_long(path: Location, time: float, hole: float) -> MediaError:
    """Say that time stamps claim a hole that is too long to believe; time, hole: seconds."""
    return MediaError(
        f"{path}: its time stamps jump ahead by {hole:.0f} s at {time:.1f} s, "
        f"expected {LONGEST_HOLE:.0f} s at most"
    )


class _Clock:
    """Moves the stamps of packets so that they run on where those of the file begin anew."""

    def __init__(self, path: Location, parts: bool) -> None:
        self.path = path
        self.parts = parts
        # of the file's latest part, and of the part that each stream is in: one may be behind another
        self.offset = 0.0
        self.own: dict[int, float] = {}
        self.end = 0.0
        # by stream: its first stamp, its last one as moved
        self.first: dict[int, float] = {}
        self.last: dict[int, float] = {}
        # a jump that its stream's next packet confirms or takes back: stream, offset before it, ahead or not
        self.jump: tuple[int, float, bool] | None = None
        self.anew: list[float] = []

    def shift(self, packet: av.Packet) -> None:
        """Move a packet's stamps.

        Raises:
            MediaError: they jump ahead by more than the longest hole.
        """
        # pictures come in another order than they are shown in: of them only decoding stamps tell
        stamp = packet.pts if packet.dts is None and packet.stream.type == "audio" else packet.dts
        if packet.time_base is None:
            return
        number = packet.stream.index
        self.own.setdefault(number, self.offset)
        if stamp is not None:
            time = float(stamp * packet.time_base)
            if number in self.last:
                self._confirm(number, time)
                self._look(number, time)
            self.first.setdefault(number, time)
            self.last[number] = time + self.own[number]
            self.end = max(self.end, self.last[number] + packet_length(packet))
        moved = round(self.own[number] / packet.time_base)
        if moved:
            packet.pts = None if packet.pts is None else packet.pts + moved
            packet.dts = None if packet.dts is None else packet.dts + moved

    def pass_by(self, piece: Any) -> None:
        """Move the end of what was read so far behind sound that has no stamp."""
        if isinstance(piece, av.AudioFrame) and piece.pts is None and piece.sample_rate:
            self.end += piece.samples / piece.sample_rate

    def _confirm(self, number: int, time: float) -> None:
        """Take a jump back if the packet after it fits the clock before: one stamp was wrong."""
        if self.jump is None or self.jump[0] != number:
            return
        _, before, ahead = self.jump
        self.jump = None
        was, now = (abs(time + offset - self.last[number]) for offset in (before, self.own[number]))
        if was < now:
            self.own[number] = self.offset = before
            self.anew.pop()
        elif ahead and not self.parts:
            raise too_long(self.path, self.last[number], before - self.own[number])

    def _look(self, number: int, time: float) -> None:
        """Let the clock run on if a stamp begins anew, or is hours ahead."""
        last = self.last[number]
        if self.own[number] != self.offset:
            # another stream went into the next part: does this one follow, or is it still in the one before?
            was, now = (abs(time + offset - last) for offset in (self.own[number], self.offset))
            if min(was, now) <= BACK:
                self.own[number] = self.own[number] if was < now else self.offset
                return
        back = last - (time + self.own[number])
        whole_part = self.parts or back > BACK or time <= self.first[number] + ANEW
        anew = back > SLIGHT and whole_part
        ahead = -back > LONGEST_HOLE
        if anew or ahead:
            self.jump = (number, self.own[number], ahead)
            self.anew.append(self.end)
            self.own[number] = self.offset = self.end - time
