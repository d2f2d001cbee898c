"""Pictures at other rates than most: variable, very low, very high, one only, without a clock, reordered."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tests.features.hard_media.case import Case, Seen, Told
from tests.features.hard_media.signals import FORTY
from tests.features.hard_media.writing import Pictures, write

SHOWN = Seen(4.0, FORTY, 40)


def _variable(path: Path) -> None:
    times = [0.0, 0.1, 0.13, 0.9, 1.0, 1.7, 1.75]
    write(path, Pictures("RGBYMCW", times=times, time_base=Fraction(1, 90000), rate=Fraction(30)))


def _b_frames(path: Path) -> None:
    write(path, Pictures(FORTY, b_frames=3, gop=12, options={"preset": "medium", "bf": "3", "b-adapt": "0"}))


def _rate(
    name: str, rate: Fraction, letters: str, seen: Seen, codec: str = "libx264", pix_fmt: str = "yuv420p"
):
    return Case(
        name, lambda path: write(path, Pictures(letters, codec, rate=rate, pix_fmt=pix_fmt)), seen=seen
    )


def sampled(letters: str, every: int = 1) -> str:
    """Return what is shown at each tick of 0.1 s where a picture lasts `every` ticks."""
    return "".join(letter * every for letter in letters)


CASES = [
    Case(
        "camera.h264",
        lambda path: write(path, Pictures(FORTY)),
        seen=Told("no time|no clock|no frame|without", Seen(4.0, FORTY, 40)),
    ),
    Case(
        "camera.mjpeg",
        lambda path: write(path, Pictures(FORTY, "mjpeg", pix_fmt="yuvj420p")),
        # without a clock FFmpeg takes 25 pictures per second
        seen=Seen(1.6, "", within=0.1, said="any"),
    ),
    Case("variable.mp4", _variable, seen=Seen(1.8, "R" + "B" * 8 + "Y" + "M" * 7 + ".", 7, within=0.15)),
    Case("b_frames.mp4", _b_frames, seen=SHOWN),
    Case(
        "b_frames.avi",
        lambda path: write(path, Pictures(FORTY, "mpeg4", b_frames=2, gop=12)),
        seen=Seen(4.1, "", 40, within=0.16),
    ),
    _rate("one_in_five_seconds.mp4", Fraction(1, 5), "RGB", Seen(15.0, sampled("RGB", 50), 3, within=0.3)),
    _rate(
        "one_in_five_seconds.mkv",
        Fraction(1, 5),
        "RGB",
        Seen(15.0, sampled("RGB", 50), 3, within=5.1),
        "mpeg4",
    ),
    _rate("ntsc.mov", Fraction(30000, 1001), sampled(FORTY[:20], 3), Seen(2.002, FORTY[:20])),
    _rate("fast.mp4", Fraction(240), sampled(FORTY[:20], 24), Seen(2.0, FORTY[:20], 40)),
    _rate("one_picture.mp4", Fraction(10), "G", Seen(0.1, "G", 1)),
    _rate("one_picture.png", Fraction(25), "G", Seen(0.04, "", 1, "GGGG"), "png", "rgb24"),
    _rate("intra.avi", Fraction(10), FORTY, SHOWN, "mjpeg", "yuvj420p"),
]
