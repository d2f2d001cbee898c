"""Fixtures that write small media."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest


@pytest.fixture
def write_video(tmp_path):
    """Return a function that writes grey pictures at given times and says where."""

    def write(levels, times, name="video.mp4", height=64, width=64) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=1000)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.codec_context.time_base = Fraction(1, 1000)
            stream.options = {"crf": "1", "bf": "0"}
            for level, time in zip(levels, times, strict=True):
                frame = av.VideoFrame.from_ndarray(
                    np.full((height, width, 3), level, np.uint8), format="rgb24"
                )
                frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
                for packet in stream.encode(frame):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
        return path

    return write


@pytest.fixture
def write_wav(tmp_path):
    """Return a function that writes a signal (channels, frames) in [-1, 1] and says where."""

    def write(signal, rate_hz, name="sound.wav") -> Path:
        from scipy.io import wavfile

        path = tmp_path / name
        wavfile.write(path, rate_hz, np.round(np.atleast_2d(signal).T * 32767).astype(np.int16))
        return path

    return write
