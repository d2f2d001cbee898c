"""A stretch of a media file -> a file of its own, exact to the frame: decoded and encoded again.

Copying packets would be faster, but can begin at key frames only, which are seconds apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.laying import Layer
from pipeline.features.media.decoding import Decoded, Lost
from pipeline.features.media.frames import TOLERANCE
from pipeline.features.media.opening import Kind, MediaError, open_media, origin, stream_of, streams_of
from pipeline.features.media.upright import display_matrix, pixel_aspect, upright

Half = Literal["left", "right"]
"""Of pictures that show two people side by side."""
# No frames that refer to later ones, so that the first one is presented at 0.
X264 = {"preset": "veryfast", "crf": "18", "bf": "0", "threads": "1"}
CLOCK = Fraction(1, 90_000)
"""Seconds per tick of the pictures' clock; holds the times of all usual rates."""
AAC_BITS_PER_SECOND = 128_000
AAC_FRAME = 1024
AAC_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
SLACK = 0.25
"""Seconds that a file may end before a stretch does: annotated ends are rounded."""
ROUNDING = 0.1
"""Seconds by which a stretch cut by another program may be longer or shorter."""
NOTE = "cut by emobed: "
RUN_UP = 1.0
"""Seconds decoded before a stretch: a sound decoder needs some frames to settle."""


def holds(path: Path, start: float, end: float, half: Half | None = None) -> bool:
    """Say whether a file is the stretch from `start` to `end`, by what its header says.

    A file that `cut` wrote names its stretch and half; of one from elsewhere the length decides.
    """
    if not path.is_file():
        return False
    try:
        with open_media(path) as container:
            note = container.metadata.get("comment", "")
            length = None if container.duration is None else container.duration / av.time_base
    except MediaError:
        return False
    if note.startswith(NOTE):
        return note == _note(start, end, half)
    return length is not None and abs(length - (end - start)) <= ROUNDING


def _note(start: float, end: float, half: Half | None) -> str:
    return f"{NOTE}{start:.3f} to {end:.3f} s" + (f", {half} half" if half else "")


def cut(source: Path, start: float, end: float, target: Path, half: Half | None = None) -> None:
    """Write what `source` shows and plays from `start` to `end` as MP4 (H.264, AAC), atomically.

    The frame shown at `start` comes first, at time 0; frames keep their distances in time. A file
    without sound gives a file without sound.

    start, end: seconds since the file's origin. half: of the picture, None for the whole.

    Raises:
        MediaError: no such file, not media, no video stream, or it ends before `end`.
        OSError: the target cannot be written.
    """
    # The ending is kept: the container is chosen by it. The name is fixed, so that what a killed run
    # left is overwritten by the next.
    partial = target.with_name(f".{target.stem}.partial{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with av.open(str(partial), "w", options={"movflags": "+faststart"}) as container:
            container.metadata["comment"] = _note(start, end, half)
            rate_hz = _sound_rate(source)
            video = container.add_stream("libx264", options=X264)
            sound = None
            if rate_hz is not None:
                sound = container.add_stream("aac", rate=rate_hz, layout="stereo")
                sound.bit_rate = AAC_BITS_PER_SECOND
            _write_pictures(container, video, source, start, end, half)
            if sound is not None and rate_hz is not None:
                _write_sound(container, sound, _sound(source, start, end, rate_hz), rate_hz)
        partial.replace(target)
    except av.FFmpegError as error:
        raise MediaError(f"{source}: {start:.2f} to {end:.2f} s cannot be cut ({error.strerror})") from error
    finally:
        partial.unlink(missing_ok=True)


def _write_pictures(
    container: av.container.OutputContainer,
    stream: av.VideoStream,
    source: Path,
    start: float,
    end: float,
    half: Half | None,
) -> None:
    last: float | None = None
    lengths: dict[int | None, int] = {}
    stretch = _pictures(source, start, end)
    for number, (time, length, whole) in enumerate(stretch):
        picture = _half(whole, half)
        if number == 0:
            # H.264 in yuv420p needs even sides
            stream.width, stream.height = picture.width // 2 * 2, picture.height // 2 * 2
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = CLOCK
        frame = picture.reformat(stream.width, stream.height, "yuv420p")
        frame.pts, frame.time_base = round((time - start) / CLOCK), CLOCK
        lengths[frame.pts] = round(min(length, end - time) / CLOCK)
        frame.pict_type = av.video.frame.PictureType.NONE
        last = time + length
        _mux(container, stream.encode(frame), lengths)
    if last is None or last < end - SLACK:
        ends = f"before {start:.2f} s" if last is None else f"at {last:.2f} s"
        raise MediaError(f"{source}: its pictures end {ends}, wanted are {start:.2f} to {end:.2f} s")
    _mux(container, stream.encode(None), lengths)


def _mux(
    container: av.container.OutputContainer, packets: list[av.Packet], lengths: dict[int | None, int]
) -> None:
    for packet in packets:
        # the encoder guesses: the last frame would be shown for a 24th of a second, however long it was
        packet.duration = lengths[packet.pts]
        container.mux(packet)


def _pictures(source: Path, start: float, end: float) -> Iterator[tuple[float, float, av.VideoFrame]]:
    """Give time, length (seconds) and picture of each frame shown from `start` to `end`."""
    with open_media(source) as container:
        aspect = pixel_aspect(stream_of(source, container, "video"))
    shown: tuple[float, av.VideoFrame] | None = None
    for time, frame in _decoded(source, "video", start):
        if isinstance(frame, Lost) or time is None:
            continue
        if shown is not None and time < shown[0]:  # overlaps what was shown
            continue
        if shown is not None and time > start + TOLERANCE:
            began = max(shown[0], start)
            yield began, time - began, _as_shown(shown[1], aspect)
        shown = (time, frame)
        if time >= end - TOLERANCE:
            return
    if shown is not None:
        own = (
            float(shown[1].duration * shown[1].time_base) if shown[1].duration and shown[1].time_base else 0.0
        )
        if shown[0] + own > start:
            began = max(shown[0], start)
            yield began, shown[0] + own - began, _as_shown(shown[1], aspect)


def _half(picture: av.VideoFrame, half: Half | None) -> av.VideoFrame:
    if half is None:
        return picture
    pixels = np.asarray(picture.to_ndarray(format="rgb24"), np.uint8)
    middle = pixels.shape[1] // 2
    part = pixels[:, :middle] if half == "left" else pixels[:, middle:]
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(part), format="rgb24")


def _as_shown(frame: av.VideoFrame, aspect: Fraction) -> av.VideoFrame:
    if aspect == 1 and display_matrix(frame) is None:
        return frame
    return av.VideoFrame.from_ndarray(upright(frame, aspect), format="rgb24")


def _sound_rate(source: Path) -> int | None:
    """Return the sampling rate to write, Hz; None if the file has no sound."""
    with open_media(source) as container:
        if not streams_of(container, "audio"):
            return None
        own = int(stream_of(source, container, "audio").rate)
    return own if own in AAC_RATES_HZ else 48_000


def _sound(source: Path, start: float, end: float, rate_hz: int) -> NDArray[np.float32]:
    """Return the sound from `start` to `end`, (2, samples); silence where the file has none."""
    samples = np.zeros((2, round((end - start) * rate_hz)), np.float32)

    def take(place: int, block: NDArray[np.float32]) -> None:
        stop = min(place + block.shape[1], samples.shape[1])
        if stop > place:
            samples[:, place:stop] = block[:, : stop - place]

    layer = Layer(source, rate_hz, take, layout="stereo")
    for time, piece in _decoded(source, "audio", start):
        if isinstance(piece, Lost):
            layer.lose(piece)
        elif time is not None and time >= end:
            break
        else:
            layer.lay(piece, None if time is None else time - start)
    if layer.due is not None:  # sound that begins after the stretch, or ended before it, is silence
        layer.flush()
    return samples


def _write_sound(
    container: av.container.OutputContainer,
    stream: av.AudioStream,
    samples: NDArray[np.float32],
    rate_hz: int,
) -> None:
    for first in range(0, samples.shape[1], AAC_FRAME):
        block = np.ascontiguousarray(samples[:, first : first + AAC_FRAME])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = rate_hz, first, Fraction(1, rate_hz)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _decoded(source: Path, kind: Kind, start: float) -> Iterator[tuple[float | None, Any]]:
    """Give time and frame of a stream from before `start` on; from the beginning if seeking fails.

    A packet that cannot be decoded is given as `Lost`.
    """
    for seek in (True, False):
        with open_media(source) as container:
            stream = stream_of(source, container, kind)
            zero = origin(container)
            if seek and start > RUN_UP:
                container.seek(round((start - RUN_UP + zero) * av.time_base), backward=True)
            late = False
            for number, piece in enumerate(Decoded(source, container, stream)):
                # frames carry the file's clock, what is lost is on it already
                shift = 0.0 if isinstance(piece, Lost) else zero
                time = None if piece.time is None else piece.time - shift
                late = seek and start > RUN_UP and number == 0 and time is not None and time > start
                if late:  # an index that leads past the place
                    break
                yield time, piece
            if not late:
                return
