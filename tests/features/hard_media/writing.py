"""Streams -> a media file, by PyAV: every codec, container and time stamp that the hard files need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.features.hard_media.signals import solid

LAYOUTS = {1: "mono", 2: "stereo", 3: "2.1", 4: "quad", 6: "5.1", 8: "7.1"}
Move = Callable[[float], float | None]
"""Time of a packet -> the time it is written with; None: it is left out. Seconds."""


@dataclass(frozen=True)
class Sound:
    """A stream of sound. signal: (channels, frames). move: of its packets, in the order of time."""

    signal: NDArray[np.float64]
    rate: int
    codec: str
    options: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None
    sample_format: str | None = None
    bit_rate: int | None = None
    default: bool | None = None

    def add(self, container: av.container.OutputContainer) -> Any:
        """Add the stream."""
        stream = container.add_stream(self.codec, rate=self.rate, options=dict(self.options))
        stream.layout = LAYOUTS[len(self.signal)]
        if self.sample_format:
            stream.codec_context.format = self.sample_format
        if self.bit_rate:
            stream.bit_rate = self.bit_rate
        return stream

    def packets(self, stream: Any) -> list[av.Packet]:
        """Encode the signal."""
        packets = []
        for first in range(0, self.signal.shape[1], self.rate):
            part = self.signal[:, first : first + self.rate].T.astype(np.float32)
            # packed: PyAV does not take eight planes
            frame = av.AudioFrame.from_ndarray(
                part.reshape(1, -1), format="flt", layout=LAYOUTS[part.shape[1]]
            )
            frame.sample_rate, frame.pts, frame.time_base = self.rate, first, Fraction(1, self.rate)
            packets += stream.encode(frame)
        return packets + list(stream.encode(None))


@dataclass(frozen=True)
class Pictures:
    """A stream of pictures.

    letters: the colour of each, or `images` (height, width, 3). times: seconds; None: at `rate`.
    size: (width, height).
    """

    letters: str
    codec: str = "libx264"
    times: Sequence[float] | None = None
    rate: Fraction = Fraction(10)
    size: tuple[int, int] = (96, 64)
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=dict)
    move: Move | None = None
    images: Sequence[NDArray[np.uint8]] | None = None
    time_base: Fraction | None = None
    gop: int = 5
    b_frames: int = 0
    aspect: Fraction | None = None
    default: bool | None = None

    def add(self, container: av.container.OutputContainer) -> Any:
        """Add the stream."""
        stream = container.add_stream(self.codec, rate=self.rate, options=dict(self.options))
        stream.width, stream.height = self.size
        stream.pix_fmt = self.pix_fmt
        stream.gop_size = self.gop
        stream.codec_context.max_b_frames = self.b_frames
        if self.time_base:
            stream.codec_context.time_base = self.time_base
        if self.aspect:
            stream.codec_context.sample_aspect_ratio = self.aspect
        return stream

    def packets(self, stream: Any) -> list[av.Packet]:
        """Encode the pictures."""
        images = self.images or [solid(letter, self.size) for letter in self.letters]
        times = [number / self.rate for number in range(len(images))] if self.times is None else self.times
        base = self.time_base or 1 / self.rate
        packets = []
        for image, time in zip(images, times, strict=True):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=self.pix_fmt)
            frame.pts, frame.time_base = round(time / base), base
            packets += stream.encode(frame)
        return packets + list(stream.encode(None))


def write(
    path: Path,
    *streams: Sound | Pictures,
    container_format: str | None = None,
    options: Mapping[str, str] | None = None,
    metadata: Mapping[str, str] | None = None,
    encoding: str = "utf-8",
) -> None:
    """Write streams into a file; the container is that of the name unless it is given. encoding: of tags."""
    with av.open(
        str(path), "w", format=container_format, options=dict(options or {}), metadata_encoding=encoding
    ) as container:
        container.metadata.update(metadata or {})
        added = [(each, each.add(container)) for each in streams]
        for each, stream in added:
            if each.default is not None:
                default = stream.disposition.__class__.default
                stream.disposition = default if each.default else stream.disposition.__class__(0)
        packets = []
        for each, stream in added:
            for packet in each.packets(stream):
                if _moved(packet, each.move):
                    packets.append(packet)
        for packet in sorted(packets, key=lambda packet: packet.dts * packet.time_base):
            container.mux(packet)


def _moved(packet: av.Packet, move: Move | None) -> bool:
    if move is None:
        return True
    time = move(float(packet.pts * packet.time_base))
    if time is None:
        return False
    by = round((time - float(packet.pts * packet.time_base)) / packet.time_base)
    packet.pts, packet.dts = packet.pts + by, packet.dts + by
    return True
