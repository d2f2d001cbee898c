"""Waveforms and frames -> wav and mp4 files, with the same bytes for the same input.

Every file appears under its name only when it is complete.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

# libx264's bytes depend on the number of threads; with its macroblock tree they differ from run to run
# even with one thread (about one file in fifty), so that and the look-ahead which feeds it are off.
X264 = {
    "preset": "veryfast",
    "crf": "25",
    "threads": "1",
    "bf": "0",
    "g": "50",
    "x264-params": "mbtree=0:rc-lookahead=0:weightp=0",
}
BIT_EXACT = {"fflags": "+bitexact", "movflags": "+faststart"}  # no time stamps, no program versions
AAC = {"aac_coder": "fast"}
AAC_BITS_PER_SECOND = 64_000
AAC_FRAME = 1024  # samples


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`, renamed to it when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending is kept: encoders choose the container by it.
    unfinished = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as it is: line ends are not translated."""
    with appearing(path) as unfinished:
        unfinished.write_bytes(text.encode("utf-8"))


def write_wav(path: Path, waveform: np.ndarray, sampling_rate_hz: int) -> None:
    """Write a mono 16-bit wav from `waveform` of shape (samples,) in -1..1."""
    with appearing(path) as unfinished, wave.open(str(unfinished), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sampling_rate_hz)
        file.writeframes(_to_16_bit(waveform).tobytes())


def write_mp4(
    path: Path,
    frames: Iterable[np.ndarray],
    frame_rate_hz: float,
    waveform: np.ndarray | None = None,
    sampling_rate_hz: int = 16000,
) -> None:
    """Write H.264 video, with AAC sound if there is any.

    Args:
        path: the file, ending in .mp4
        frames: images of shape (height, width, 3), uint8 RGB, even height and width
        frame_rate_hz: frames per second
        waveform: sound of shape (samples,) in -1..1, or None for a video without a sound stream
        sampling_rate_hz: samples per second of `waveform`
    """
    with (
        appearing(path) as unfinished,
        av.open(str(unfinished), "w", container_options=BIT_EXACT) as container,
    ):
        rate = Fraction(frame_rate_hz).limit_denominator(1001)
        video = container.add_stream("libx264", rate=rate, options=X264)
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = 1 / rate
        sound = None
        if waveform is not None:
            sound = container.add_stream("aac", rate=sampling_rate_hz, layout="mono", options=AAC)
            sound.bit_rate = AAC_BITS_PER_SECOND
        for index, image in enumerate(frames):
            if index == 0:
                video.height, video.width = image.shape[:2]
            planes = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2YUV_I420), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound is not None and waveform is not None:
            for start in range(0, len(waveform), AAC_FRAME):
                part = waveform[None, start : start + AAC_FRAME].astype(np.float32)
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(part), format="fltp", layout="mono")
                block.sample_rate, block.pts = sampling_rate_hz, start
                block.time_base = Fraction(1, sampling_rate_hz)
                container.mux(sound.encode(block))
            container.mux(sound.encode(None))


def _to_16_bit(waveform: np.ndarray) -> np.ndarray:
    return np.round(np.clip(waveform, -1, 1) * 32767).astype("<i2")
