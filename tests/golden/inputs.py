"""Made-up media for golden numbers: a voice and a face of formulas, so that they move with nothing else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from scipy.io import wavfile
from scipy.signal import lfilter

RATE_HZ = 44_100
PICTURES_HZ = 10


def voice(duration: float, seed: int = 0) -> np.ndarray:
    """Return a buzz of gliding pitch through three formants, loud and soft in turn, (samples,) below 0.5."""
    time = np.arange(round(duration * RATE_HZ)) / RATE_HZ
    phase = np.cumsum(140 + 30 * np.sin(3.8 * time + seed)) / RATE_HZ
    sound = np.diff(np.floor(phase), prepend=0)
    sound = sound + 0.01 * np.random.default_rng(seed).standard_normal(len(time))
    for centre, width in ((700, 90), (1200, 110), (2600, 170)):
        radius = np.exp(-np.pi * width / RATE_HZ)
        sound = lfilter([1], [1, -2 * radius * np.cos(2 * np.pi * centre / RATE_HZ), radius**2], sound)
    sound = sound * (0.55 + 0.45 * np.clip(np.sin(9.4 * time), -0.9, 1))
    return np.asarray(0.5 * sound / np.abs(sound).max())


def write_wav(path: Path, channels: np.ndarray) -> Path:
    """Write (channels, samples) in [-1, 1] as 16 bit at `RATE_HZ`."""
    wavfile.write(path, RATE_HZ, np.round(np.atleast_2d(channels).T * 32767).astype(np.int16))
    return path


def write_late_sound(path: Path, sound: np.ndarray, late: float) -> Path:
    """Write pictures from 0 on, and sound (samples,) that starts `late` seconds after them."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream("mpeg4", rate=PICTURES_HZ)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        stream = container.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
        for _ in range(round((late + len(sound) / RATE_HZ) * PICTURES_HZ)):
            grey = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 90, np.uint8), format="rgb24")
            container.mux(pictures.encode(grey))
        container.mux(pictures.encode(None))
        samples = np.round(sound * 32767).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = round(late * RATE_HZ)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def face(x: float, y: float, size: float, smile: float = 0.3) -> np.ndarray:
    """Draw a face on a ground that grows brighter downwards, (240, 320, 3) RGB.

    x, y: its middle. size: half its height. All in pixels.
    """
    ground = (96, 110, 124) + 0.4 * np.arange(240)[:, None, None]
    picture = np.repeat(ground, 320, axis=1).astype(np.uint8)

    def spot(across: float, down: float, half: tuple[float, float], colour: tuple[int, int, int]) -> None:
        centre = (round(16 * (x + across * size)), round(16 * (y + down * size)))
        axes = (round(16 * half[0] * size), round(16 * half[1] * size))
        cv2.ellipse(picture, centre, axes, 0, 0, 360, colour, -1, cv2.LINE_AA, 4)

    spot(0, -0.12, (0.84, 1.08), (60, 42, 30))  # hair
    spot(0, 0.06, (0.72, 0.98), (214, 170, 146))
    for side in (-1, 1):
        spot(side * 0.42, 0.28, (0.2, 0.2), (206, 156, 134))  # cheek
        spot(side * 0.31, -0.27, (0.2, 0.045), (70, 48, 36))  # brow
        spot(side * 0.31, -0.1, (0.15, 0.075), (240, 238, 234))
        spot(side * 0.31, -0.1, (0.07, 0.07), (70, 50, 40))
        spot(side * 0.08, 0.26, (0.05, 0.03), (140, 96, 82))  # nostril
    spot(-0.02, 0.08, (0.05, 0.2), (196, 150, 128))  # nose
    spot(0, 0.56, (0.3, 0.07 + 0.1 * smile), (166, 80, 80))
    spot(0, 0.53, (0.22, 0.01 + 0.06 * smile), (232, 226, 220))
    return cv2.GaussianBlur(picture, (5, 5), 1.1)


def write_pictures(path: Path, pictures: list[np.ndarray]) -> Path:
    """Write pictures at `PICTURES_HZ` without loss, so that decoding gives the same on every machine."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=PICTURES_HZ)
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "bgr0"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path
