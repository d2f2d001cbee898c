"""Pictures as they come, each with its time -> the picture shown at each tick, as in `FramesOnGrid`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.clock import LONGEST_HOLE, too_long
from pipeline.features.media.frames import Frame, ticks_before
from pipeline.features.media.opening import MediaError
from pipeline.features.streams.row_stream import STREAM


class End(NamedTuple):
    """What the end of a stream of pictures makes known: the last picture's ticks, and its length, seconds."""

    frame: Frame | None
    duration: float


class PicturesOnTicks:
    """A picture is shown until the next one comes, so its ticks are known with that one's time.

    next_tick: the first tick whose picture is not known. duration: at least so long is the video, seconds.
    """

    def __init__(self, rate_hz: float) -> None:
        """Begin at 0 s; rate_hz: of the ticks."""
        self.rate_hz = rate_hz
        self.next_tick = 0
        self._shown: NDArray[np.uint8] | None = None
        self._time, self._length = 0.0, 0.0

    def push(self, image: NDArray[np.uint8], time: float) -> Frame | None:
        """Take a picture and return the one before it, if it is shown at a tick.

        image: (height, width, 3) RGB; a copy is kept. time: seconds since the beginning; a picture that is
        older than the last one is left out, as in files.

        Raises:
            MediaError: no such picture, or a time that jumps by hours.
        """
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise MediaError(
                f"{STREAM}: a picture is {image.dtype} of shape {image.shape}, expected uint8 of shape "
                "(height, width, 3)"
            )
        if not (np.isfinite(time) and time >= 0):
            raise MediaError(f"{STREAM}: a picture's time is {time} s, expected 0 or more")
        if time - self._time > LONGEST_HOLE:
            raise too_long(STREAM, self._time, time - self._time)
        before = None
        if self._shown is not None:
            if time < self._time:
                return None
            before = self._until(ticks_before(time, self.rate_hz))
            self._length = time - self._time
        self._shown, self._time = image.copy(), time
        return before

    def finish(self) -> End:
        """Return the last picture, which is shown as long as the one before.

        Raises:
            MediaError: no picture was pushed.
        """
        if self._shown is None:
            raise MediaError(f"{STREAM}: no picture came")
        duration = self._time + self._length
        return End(self._until(max(ticks_before(duration, self.rate_hz), 1)), duration)

    def _until(self, tick: int) -> Frame | None:
        ticks = range(self.next_tick, tick)
        if not ticks or self._shown is None:
            return None
        self.next_tick = ticks.stop
        return Frame(self._shown, self._time, ticks)
