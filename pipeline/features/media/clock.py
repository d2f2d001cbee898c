"""Time stamps of packets -> stamps that run on where those of the file begin anew.

Files joined end to end begin anew with each part: the clock runs on from where the part before ended, for all
streams of the file alike where the container may hold such parts.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av

from pipeline.features.media.opening import MediaError
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


def seconds(stamp: int, base: Fraction) -> float:
    """Return a time stamp in seconds, rounded as the fraction would be, at a tenth of its time.

    stamp: in units of `base`, seconds.
    """
    return stamp * base.numerator / base.denominator


def packet_end(packet: av.Packet, origin: float) -> float:
    """Return where a packet ends, seconds since the file's origin; 0 if it does not say."""
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None or packet.time_base is None:
        return 0.0
    return seconds(stamp, packet.time_base) - origin + packet_length(packet)


def packet_length(packet: av.Packet) -> float:
    """Return how long a packet lasts, seconds; 0 if it does not say so, or nothing sensible."""
    if not packet.duration or packet.time_base is None:
        return 0.0
    length = seconds(packet.duration, packet.time_base)
    return length if 0 < length <= LONGEST_HOLE else 0.0


def joined(parts: list[float]) -> list[str]:
    """Say that a file is of several parts; parts: where each but the first begins, seconds."""
    if not parts:
        return []
    how = f"{len(parts)} times, first" if len(parts) > 1 else "once,"
    return [f"its time stamps begin anew {how} at {parts[0]:.2f} s: it runs on from there"]


def too_long(path: Location, time: float, hole: float) -> MediaError:
    """Say that time stamps claim a hole that is too long to believe; time, hole: seconds."""
    return MediaError(
        f"{path}: its time stamps jump ahead by {hole:.0f} s at {time:.1f} s, "
        f"expected {LONGEST_HOLE:.0f} s at most"
    )


class Clock:
    """Moves the stamps of packets so that they run on where those of the file begin anew."""

    def __init__(self, path: Location, parts: bool) -> None:
        """Begin a file's clock; parts: whether its container may hold parts with clocks of their own."""
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
            time = seconds(stamp, packet.time_base)
            if number in self.last:
                self._confirm(number, time)
                self._look(number, time)
            self.first.setdefault(number, time)
            self.last[number] = time + self.own[number]
            self.end = max(self.end, self.last[number] + packet_length(packet))
        if moved := round(self.own[number] / packet.time_base) if self.own[number] else 0:
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
            was, now = (time + offset - last for offset in (self.own[number], self.offset))
            if was < -SLIGHT <= now <= LONGEST_HOLE:  # it ended long before the other one did
                self.own[number] = self.offset
                return
            if min(abs(was), abs(now)) <= BACK:
                self.own[number] = self.own[number] if abs(was) < abs(now) else self.offset
                return
        back = last - (time + self.own[number])
        whole_part = self.parts or back > BACK or time <= self.first[number] + ANEW
        anew = back > SLIGHT and whole_part
        ahead = -back > LONGEST_HOLE
        if anew or ahead:
            self.jump = (number, self.own[number], ahead)
            self.anew.append(self.end)
            self.own[number] = self.offset = self.end - time
