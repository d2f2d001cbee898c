"""A media file -> what is wrong with it, by decoding a little at its start and at its end.

Tells before hours are spent what extraction would find: a file that is missing, empty, not media,
broken off, without the stream that is wanted, or shorter than a window.
"""

from __future__ import annotations

import wave
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import av

from pipeline.features.media import MediaError, open_media, origin
from pipeline.location import Location

SECONDS = 2.0
"""How much sound is decoded at each end."""
FRAMES = 5
"""How many pictures are decoded at the start."""
TOLERANCE = 1.0
"""Seconds by which the last packet may end before the length that the header states."""


@dataclass(frozen=True)
class Inspection:
    """What was found in one stream: its length in seconds (None: unknown) and what is wrong, in words."""

    duration: float | None = None
    problems: list[str] = field(default_factory=list)


def inspect(path: Location, modality: Literal["audio", "video"], window: float | None) -> Inspection:
    """Look at the stream of a modality in a file.

    window: seconds that the stream must last at least; None: any length.
    """
    try:
        with open_media(path) as container:
            streams = container.streams.audio if modality == "audio" else container.streams.video
            if not streams:
                return Inspection(None, [f"no {'sound' if modality == 'audio' else 'video'} stream"])
            start = _decode_start(container, streams[0])
            stated = None if container.duration is None else container.duration / av.time_base
            end = _end(container, streams[0], stated)
    except MediaError as error:
        return Inspection(None, [str(error).removeprefix(f"{path}: ")])
    except (OSError, ValueError) as error:
        return Inspection(None, [f"cannot be decoded ({error})"])
    if not start:
        return Inspection(None, [f"its {'sound' if modality == 'audio' else 'video'} stream is empty"])
    problems = []
    whole = max(stated or 0.0, _wave_duration(path) or 0.0)
    if whole and end < whole - TOLERANCE and _is_longest(container_end=whole, end=end, path=path):
        problems.append(f"breaks off at {end:.1f} s of the {whole:.1f} s that its header states")
    if window is not None and end < window:
        problems.append(f"{end:.2f} s long, shorter than a window of {window:g} s")
    return Inspection(end, problems)


def compare(sound: Inspection, video: Inspection, share: float = 0.05, seconds: float = 1.0) -> list[str]:
    """Say whether the lengths of sound and video of one recording differ by more than both limits."""
    if sound.duration is None or video.duration is None:
        return []
    difference = abs(sound.duration - video.duration)
    if difference <= max(seconds, share * max(sound.duration, video.duration)):
        return []
    return [f"the sound lasts {sound.duration:.1f} s, the video {video.duration:.1f} s"]


def _decode_start(container: av.container.InputContainer, stream: av.AudioStream | av.VideoStream) -> int:
    """Decode the first seconds of sound or the first pictures; returns how many frames there were."""
    count = 0
    for frame in container.decode(stream):
        count += 1
        late = frame.time is not None and frame.time - origin(container) > SECONDS  # type: ignore[union-attr]
        if late if stream.type == "audio" else count >= FRAMES:
            break
    return count


def _end(container: av.container.InputContainer, stream: av.stream.Stream, stated: float | None) -> float:
    """Return where the last packet of the stream ends, seconds from the file's start.

    Packets are read from shortly before the stated end. Where a file cannot be sought, or ends
    before that, they are read from its start; nothing is decoded.
    """
    for target in (max(0.0, (stated or 0.0) - 2 * SECONDS), 0.0):
        with suppress(av.FFmpegError):
            container.seek(int((target + origin(container)) * av.time_base), backward=True)
        end = 0.0
        with suppress(av.FFmpegError):  # the packet at which a file breaks off
            for packet in container.demux(stream):
                if packet.pts is None or packet.time_base is None or packet.is_corrupt:
                    continue
                last = float((packet.pts + (packet.duration or 0)) * packet.time_base)
                end = max(end, last - origin(container))
        if end:
            return end
    return 0.0


def _is_longest(container_end: float, end: float, path: Location) -> bool:
    """Say whether the missing end is missing from all streams: one may just be shorter than the other."""
    try:
        with open_media(path) as container:
            ends = [
                _end(container, s, container_end) for s in container.streams if s.type in ("audio", "video")
            ]
    except MediaError:
        return True
    return max([end, *ends]) < container_end - TOLERANCE


def _wave_duration(path: Location) -> float | None:
    """Return the seconds that a wav file's header states, which FFmpeg corrects by the file's length."""
    if not isinstance(path, Path) or path.suffix.lower() != ".wav":
        return None
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() / file.getframerate()
    except (wave.Error, EOFError, ZeroDivisionError):
        return None
