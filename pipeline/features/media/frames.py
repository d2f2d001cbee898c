"""Video file -> the picture shown at each tick of a regular grid, by presentation time stamp.

Frame numbers lie (variable rates, lost frames, wrong headers); time stamps do not. A frame that is
shown at several ticks is given once, with all its ticks, so that networks see it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.clock import LONGEST_HOLE, joined, too_long
from pipeline.features.media.damage import Broken, broken_off
from pipeline.features.media.decoding import Decoded, Lost
from pipeline.features.media.opening import MediaError, choice, named, open_media, origin, stream_of
from pipeline.features.media.upright import pixel_aspect, upright
from pipeline.location import Location
from pipeline.store.damage import NO_DAMAGE, Damage

TOLERANCE = 1e-3
"""Seconds by which a frame may be shown after its tick and still count as shown at it."""
UNSTAMPED_HZ = 25.0
"""Rate of pictures without time stamps in a stream that states no rate, as FFmpeg plays them."""


@dataclass(frozen=True)
class Frame:
    """A picture and when it is shown.

    image: (height, width, 3) RGB. time: presentation time, seconds. ticks: the ticks at which it is
    the picture shown, never empty.
    """

    image: NDArray[np.uint8]
    time: float
    ticks: range


class FramesOnGrid:
    """The distinct frames shown at the ticks k / rate_hz of a video, in order.

    A tick's frame is the last one presented up to then; ticks before the first frame get the first. Where
    pictures are missing or cannot be decoded the last one stays. Memory holds two frames. `duration`
    (seconds), `damage` and `notes` (what was chosen, in words) are known once all frames were given.
    """

    def __init__(self, path: Location, rate_hz: float) -> None:
        """Name the video; it is opened when the frames are asked for."""
        self.path = path
        self.rate_hz = rate_hz
        self.duration = 0.0
        self.damage = NO_DAMAGE
        self.notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Frame]:
        """Decode the video.

        Raises:
            MediaError: no such file, not media, no video stream, no frame in it, time stamps that jump by
                hours.
            RemoteError: a URL whose server does not answer.
        """
        for frame, aspect, time, ticks in self.pictures():
            with named(self.path):
                image = upright(frame, aspect)
            yield Frame(image, time, ticks)

    def pictures(self) -> Iterator[tuple[av.VideoFrame, Fraction, float, range]]:
        """Give the same as decoded: picture, aspect of its pixels, its time, its ticks.

        Raises:
            MediaError, RemoteError: as above.
        """
        with open_media(self.path) as container:
            stream = stream_of(self.path, container, "video")
            aspect = pixel_aspect(stream)
            start = origin(container)
            usual = 1 / float(stream.average_rate or stream.guessed_rate or UNSTAMPED_HZ)
            shown: av.VideoFrame | None = None
            shown_time, length, next_tick = 0.0, 0.0, 0
            lost: list[Lost] = []
            stamps, unstamped = _Stamps(), 0
            pieces = Decoded(self.path, container, stream)
            for piece in pieces:
                if isinstance(piece, Lost):
                    lost.append(piece)
                    continue
                if (stamp := stamps.of(piece)) is not None:
                    time = stamp - start
                else:  # raw streams have no stamps
                    unstamped += 1
                    time = 0.0 if shown is None else shown_time + (_own_length(shown) or usual)
                if shown is None and time > LONGEST_HOLE:
                    raise too_long(self.path, 0.0, time)
                if shown is not None:
                    if time < shown_time:  # overlaps what was shown
                        continue
                    ticks = range(next_tick, ticks_before(time, self.rate_hz))
                    if ticks:
                        yield shown, aspect, shown_time, ticks
                        next_tick = ticks.stop
                    length = time - shown_time
                shown, shown_time = piece, time
            if shown is None:
                raise MediaError(f"{self.path}: its video stream holds no frame")
            # where a file says nothing sensible, the last picture is shown as long as the one before
            own = _own_length(shown)
            self.duration = shown_time + (own or length)
            self.notes = (*choice(container, "video"), *joined(pieces.parts), *_without_stamps(unstamped))
            broken = broken_off(self.path, container, stream, pieces.end, pieces.stopped)
            self.damage = _damage(lost, broken, own or length, self.duration)
            ticks = range(next_tick, max(ticks_before(self.duration, self.rate_hz), 1))
            if ticks:
                yield shown, aspect, shown_time, ticks


class _Stamps:
    """Chooses a picture's time: that of presentation, unless those go back more often than those of decoding.

    A raw stream that was put into a container without decoding has stamps in the order of its packets,
    which is not the one that pictures are shown in; players choose likewise.
    """

    def __init__(self) -> None:
        self.latest: dict[str, int] = {}
        self.back = {"pts": 0, "dts": 0}

    def of(self, frame: av.VideoFrame) -> float | None:
        """Return a picture's time on the container's clock, seconds; None: it has no stamp."""
        found = {"pts": frame.pts, "dts": frame.dts}
        for kind, stamp in found.items():
            if stamp is not None:
                self.back[kind] += stamp <= self.latest.get(kind, stamp - 1)
                self.latest[kind] = stamp
        trusted = self.back["pts"] <= self.back["dts"] or frame.dts is None
        stamp = found["pts"] if trusted and frame.pts is not None else found["dts"]
        return None if stamp is None or frame.time_base is None else float(stamp * frame.time_base)


def _without_stamps(count: int) -> list[str]:
    """Say that pictures have no time of their own."""
    if not count:
        return []
    return [f"{count} of its pictures have no time stamp: shown at the stream's rate, each after the last"]


def _own_length(frame: av.VideoFrame) -> float:
    """Return for how long a picture says that it is shown, seconds; 0 if it does not, or nothing sensible."""
    length = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
    return length if 0 < length <= LONGEST_HOLE else 0.0


def _damage(lost: list[Lost], broken: Broken | None, usual: float, duration: float) -> Damage:
    """Sum up what is missing; usual: seconds of a picture, for packets that do not say how long they last."""
    words, seconds, whole = [], 0.0, duration
    if lost:
        seconds = sum(each.length or usual for each in lost)
        first = next((each.time for each in lost if each.time is not None), 0.0)
        words.append(
            f"{len(lost)} pictures ({seconds:.2f} s) cannot be decoded, first at {first:.2f} s: "
            "the one before stays"
        )
    if broken is not None:
        words.insert(0, str(broken))
        seconds, whole = seconds + broken.missing, max(whole, broken.end + broken.missing)
    return Damage.of(seconds, whole, words)


def ticks_before(time: float, rate_hz: float) -> int:
    """Return the number of ticks k / rate_hz that come before `time`."""
    return max(0, int(np.ceil((time - TOLERANCE) * rate_hz)))
