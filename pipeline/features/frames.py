"""Video file -> the picture shown at each tick of a regular grid, by presentation time stamp.

Frame numbers lie (variable rates, lost frames, wrong headers); time stamps do not. A frame that is
shown at several ticks is given once, with all its ticks, so that networks see it once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.media import MediaError, open_media, origin
from pipeline.location import Location

TOLERANCE = 1e-3
"""Seconds by which a frame may be shown after its tick and still count as shown at it."""


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

    A tick's frame is the last one presented up to then; ticks before the first frame get the first.
    Memory holds two frames. `duration` (seconds) is known once all frames were given.
    """

    def __init__(self, path: Location, rate_hz: float) -> None:
        """Name the video; it is opened when the frames are asked for."""
        self.path = path
        self.rate_hz = rate_hz
        self.duration = 0.0

    def __iter__(self) -> Iterator[Frame]:
        """Decode the video.

        Raises:
            MediaError: no such file, not media, no video stream, no frame in it.
        """
        with open_media(self.path) as container:
            if not container.streams.video:
                raise MediaError(f"{self.path}: has no video stream")
            stream = container.streams.video[0]
            start = origin(container)
            shown: av.VideoFrame | None = None
            shown_time, length, next_tick = 0.0, 0.0, 0
            for frame in container.decode(stream):
                if frame.time is None:
                    continue
                time = frame.time - start
                if shown is not None:
                    ticks = range(next_tick, _ticks_before(time, self.rate_hz))
                    if ticks:
                        yield Frame(upright(shown), shown_time, ticks)
                        next_tick = ticks.stop
                    length = time - shown_time
                shown, shown_time = frame, time
            if shown is None:
                raise MediaError(f"{self.path}: its video stream holds no frame")
            own = float(shown.duration * shown.time_base) if shown.duration and shown.time_base else 0.0
            self.duration = shown_time + (own or length)
            ticks = range(next_tick, max(_ticks_before(self.duration, self.rate_hz), 1))
            if ticks:
                yield Frame(upright(shown), shown_time, ticks)


def _ticks_before(time: float, rate_hz: float) -> int:
    """Return the number of ticks k / rate_hz that come before `time`."""
    return max(0, int(np.ceil((time - TOLERANCE) * rate_hz)))


def upright(frame: av.VideoFrame) -> NDArray[np.uint8]:
    """Return the picture upright, (height, width, 3): phones store it lying with a rotation mark."""
    image = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    quarter_turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarter_turns)) if quarter_turns else image
