"""Decoded frames of sound -> samples laid by their presentation time stamps, start to end.

Holes are silence, what overlaps is dropped, and stamps that are off by no more than their rounding move
nothing: samples are counted, not laid anew frame by frame. A packet that could not be decoded is silence,
and so are samples that are no numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.clock import LONGEST_HOLE, too_long
from pipeline.features.media.decoding import Lost
from pipeline.features.media.opening import MediaError, named
from pipeline.location import Location

GAP = 0.05
"""Seconds by which sound may be off its time stamp before the difference counts as a hole or overlap."""
ROUNDING = 0.002
"""The same after a packet that could not be decoded: what is missing is there to be seen."""
LOWEST_RATE_HZ = 1000
"""A sampling rate below this is a wrong entry, and would make gigabytes of a small file."""
MOST_PLANES = 7
"""Channels in planes of their own that PyAV can turn into an array; with more its process ends."""
MOST_SILENCE = 14_400.0
"""Seconds without sound that stamps may claim altogether: who is muted sends nothing."""


class Layer:
    """Lays frames on one clock, resampled to one rate.

    place: samples laid, at the rate of the output. due: where the next frame is expected by the count of
    samples, seconds (None: before the first). damaged: seconds that were lost, and first_damage: where.
    holes: (time, seconds) of each. overlap: seconds dropped. not_finite: samples that are no numbers.
    """

    def __init__(
        self,
        path: Location,
        rate_hz: int,
        take: Callable[[int, NDArray[np.float32]], None],
        layout: str | None = None,
    ) -> None:
        """Lay sound of a file.

        take: is given each block, (channels, frames), and its place in samples; what it is never given is
        silence. layout: channels of the blocks; None: those of the file.
        """
        self.path = path
        self.rate_hz = rate_hz
        self.take = take
        self.layout = layout
        self.place = 0
        self.due: float | None = None
        self.resampler: av.AudioResampler | None = None
        self.format: tuple[Any, ...] = ()
        self.lost: list[Lost] = []
        self.damaged = 0.0
        self.first_damage: float | None = None
        self.silence = 0.0
        self.holes: list[tuple[float, float]] = []
        self.overlap = 0.0
        self.not_finite = 0

    def lose(self, lost: Lost) -> None:
        """Note a packet that could not be decoded."""
        self.lost.append(lost)

    def lay(self, frame: av.AudioFrame, time: float | None) -> None:
        """Lay a frame at its time stamp, or after the one before if it has none or fits.

        time: seconds since the output's beginning; what lies before it is dropped. None: not known.

        Raises:
            MediaError: the stamps claim more silence than is believed.
        """
        if not frame.samples:
            return
        with named(self.path):
            self._lay(frame, time)

    def _lay(self, frame: av.AudioFrame, time: float | None) -> None:
        if frame.sample_rate < LOWEST_RATE_HZ:
            raise MediaError(
                f"{self.path}: its sound has {frame.sample_rate} samples per second by its header, "
                f"expected {LOWEST_RATE_HZ} at least"
            )
        if self.due is None and time is not None and time + frame.samples / frame.sample_rate <= 0:
            return
        skip = min(frame.samples, round(self._settle(time) * frame.sample_rate))
        self.overlap += skip / frame.sample_rate if self.place else 0.0
        if skip == frame.samples:
            return
        frame = self._sane(frame, skip)
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        if kind != self.format:  # joined files, radio captures: the format changes in the stream
            self.flush()
            self.format = kind
        if self.resampler is None:
            many = self.layout is None and frame.layout.nb_channels > MOST_PLANES
            form = "flt" if many else "fltp"
            self.resampler = av.AudioResampler(format=form, layout=self.layout, rate=self.rate_hz)
        for part in self.resampler.resample(frame):
            self._append(part)
        assert self.due is not None
        self.due += frame.samples / frame.sample_rate

    def _settle(self, time: float | None) -> float:
        """Lay silence up to a frame's time if there is a hole; returns how much of it is laid, seconds."""
        expected = sum(lost.length for lost in self.lost)
        if self.due is None:
            # what comes before the file's origin is not presented
            self.due, skip = (0.0, 0.0) if time is None else (max(0.0, time), max(0.0, -time))
            self._silence_to(self.due)
            if self.lost:
                self._damage(0.0, expected)
            return skip
        off = expected if time is None else time - self.due
        if self.lost:
            hole = off if off > ROUNDING else 0.0
            self._damage(self.due, max(hole, expected))
        else:
            hole = off if off > GAP else 0.0
            if hole:
                self.holes.append((self.due, hole))
        if hole:
            self.flush()
            self.due += hole
            self._silence_to(self.due)
        return -off if off < -GAP else 0.0

    def _damage(self, time: float, length: float) -> None:
        if self.first_damage is None:
            self.first_damage = time
        self.damaged += length
        self.lost = []

    def _silence_to(self, time: float) -> None:
        first = self.place
        self.place = max(self.place, round(time * self.rate_hz))
        self.silence += (self.place - first) / self.rate_hz
        if self.place - first > LONGEST_HOLE * self.rate_hz:
            raise too_long(self.path, first / self.rate_hz, time - first / self.rate_hz)
        if self.silence > MOST_SILENCE:
            raise MediaError(
                f"{self.path}: by its time stamps {self.silence:.0f} s are without sound up to {time:.1f} s, "
                f"expected {MOST_SILENCE:.0f} s at most"
            )

    def _sane(self, frame: av.AudioFrame, skip: int) -> av.AudioFrame:
        """Return a frame without its first samples and without samples that are no numbers."""
        floats = frame.format.name in ("flt", "fltp", "dbl", "dblp")
        if not floats and not skip:
            return frame
        if frame.format.is_planar and frame.layout.nb_channels > MOST_PLANES:
            (frame,) = av.AudioResampler(format="flt", rate=frame.sample_rate).resample(frame)
        samples: NDArray[Any] = frame.to_ndarray()
        bad = ~np.isfinite(samples) if floats else np.zeros(0, np.bool_)
        if not skip and not bad.any():
            return frame
        channels = 1 if frame.format.is_planar else frame.layout.nb_channels
        if bad.any():
            # as often as a moment is concerned, not a channel
            moments = bad.any(axis=0) if frame.format.is_planar else bad.reshape(-1, channels).any(axis=1)
            self.not_finite += int(moments.sum())
            first = (self.due or 0.0) + float(moments.argmax()) / frame.sample_rate
            self._damage(first, float(moments.sum()) / frame.sample_rate)
            samples = np.where(bad, 0, samples)
        samples = np.ascontiguousarray(samples[:, skip * channels :])
        mended = av.AudioFrame.from_ndarray(samples, frame.format.name, frame.layout.name)
        mended.sample_rate = frame.sample_rate
        if frame.time_base is not None:  # samples at hand have none
            mended.time_base = frame.time_base
        if frame.pts is not None:
            mended.pts = frame.pts
        return mended

    def _append(self, part: av.AudioFrame) -> None:
        block = part.to_ndarray().astype(np.float32, copy=False)
        if not part.format.is_planar:  # (1, frames x channels) -> (channels, frames)
            block = block.reshape(-1, part.layout.nb_channels).T
        self.take(self.place, block)
        self.place += block.shape[1]

    def flush(self) -> None:
        """Lay what the resampler still holds."""
        if self.resampler is not None:
            # where there is nothing to resample it gives None back
            for part in filter(None, self.resampler.resample(None)):
                self._append(part)
        self.resampler = None

    def finish(self) -> None:
        """Lay what is still held back.

        Raises:
            MediaError: no sound was laid.
        """
        self.flush()
        if not self.place or self.due is None:
            raise MediaError(f"{self.path}: its sound stream holds no sound")
        if self.lost:  # the last packets
            length = sum(lost.length for lost in self.lost)
            self._damage(self.due, length)
            self._silence_to(self.place / self.rate_hz + length)
