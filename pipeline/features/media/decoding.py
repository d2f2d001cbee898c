"""An opened stream -> its decoded frames on the file's clock, with what could not be decoded in between.

Players go on after a packet that cannot be decoded, and so does this. Stamps that begin anew run on.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import av

from pipeline.features.media.clock import Clock, packet_end, packet_length
from pipeline.features.media.opening import KINDS, MediaError, named, origin, streams_of
from pipeline.location import Location

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
        clock = Clock(self.path, parts=bool(self.container.format.flags & DISCONTINUOUS))
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

    def _packets(self, clock: Clock) -> Iterator[av.Packet]:
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
