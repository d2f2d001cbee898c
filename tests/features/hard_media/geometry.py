"""Pictures that are not shown as they are stored, or of odd, changing or rare kinds."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from tests.features.hard_media.bytes import display_matrix
from tests.features.hard_media.case import Case, Seen
from tests.features.hard_media.signals import quarters
from tests.features.hard_media.writing import Pictures, write

STORED = "RGBW"
"""Colours of the quarters as stored: red and green above blue and white."""
WIDE = (160, 96)


def _quartered(path: Path, size: tuple[int, int] = WIDE, **more) -> None:
    write(
        path,
        Pictures("", images=[quarters(STORED, size)] * round(more.get("rate", 10) / 2), size=size, **more),
    )


def _matrix(name: str, matrix: tuple[int, int, int, int], corners: str, aspect: float) -> Case:
    def make(path: Path) -> None:
        _quartered(path)
        display_matrix(path, *matrix)

    return Case(name, make, seen=Seen(0.5, corners=corners, aspect=aspect, distinct=5))


def _pixels(name: str, aspect: Fraction, codec: str, size: tuple[int, int] = WIDE, **more) -> Case:
    shown = size[0] * aspect / size[1]
    return Case(
        name,
        lambda path: _quartered(path, size, codec=codec, aspect=aspect, **more),
        seen=Seen(0.5, corners=STORED, aspect=float(shown)),
    )


def _pixels_and_matrix(path: Path) -> None:
    """Pixels twice as wide as high, then a quarter turn: the picture is higher than wide."""
    _quartered(path, aspect=Fraction(2))
    display_matrix(path, 0, 1, -1, 0)


def _stored(name: str, size: tuple[int, int], codec: str, pix_fmt: str, **more) -> Case:
    return Case(
        name,
        lambda path: _quartered(path, size, codec=codec, pix_fmt=pix_fmt, **more),
        seen=Seen(0.5, corners=STORED, aspect=size[0] / size[1]),
    )


def _changing_size(path: Path) -> None:
    whole = b""
    for first, size in ((0, WIDE), (2, (96, 128))):
        write(
            path,
            Pictures(
                "RRRRRGGGGG" if not first else "BBBBBYYYYY",
                size=size,
                move=lambda time, by=first: time + by / 2,
            ),
            options={"mpegts_flags": "resend_headers"},
        )
        whole += path.read_bytes()
    path.write_bytes(whole)


# A point (x, y) moves to (a x + c y, b x + d y), y downwards.
CASES = [
    _matrix("turned_90.mp4", (0, 1, -1, 0), "BRWG", 96 / 160),
    _matrix("turned_180.mp4", (-1, 0, 0, -1), "WBGR", 160 / 96),
    _matrix("turned_270.mp4", (0, -1, 1, 0), "GWRB", 96 / 160),
    _matrix("mirrored.mp4", (-1, 0, 0, 1), "GRWB", 160 / 96),
    _matrix("upside_down_mirror.mp4", (1, 0, 0, -1), "BWRG", 160 / 96),
    _matrix("transposed.mov", (0, 1, 1, 0), "RBGW", 96 / 160),
    _matrix("transversed.mov", (0, -1, -1, 0), "WGBR", 96 / 160),
    _matrix("no_matrix.mp4", (0, 0, 0, 0), STORED, 160 / 96),
    _matrix("enlarged.mp4", (2, 0, 0, 2), STORED, 160 / 96),
    Case(
        "absurd_pixels.mp4",
        lambda path: _quartered(path, aspect=Fraction(60000)),
        seen=Seen(0.5, corners=STORED, aspect=160 / 96, said="any"),
    ),
    _pixels("wide_pixels.mp4", Fraction(2), "libx264"),
    _pixels("high_pixels.mkv", Fraction(1, 2), "mpeg4"),
    _pixels("pal_wide.avi", Fraction(64, 45), "mpeg4", (180, 144)),
    _pixels(
        "hd_of_tape.ts", Fraction(4, 3), "mpeg2video", (144, 108), rate=Fraction(25), options={"b": "2M"}
    ),
    Case(
        "wide_pixels_turned.mp4",
        _pixels_and_matrix,
        seen=Seen(0.5, corners="BRWG", aspect=96 / 320, distinct=5),
    ),
    _stored("odd_size.mkv", (321, 239), "ffv1", "yuv444p"),
    _stored("odd_size.mp4", (161, 97), "libx264", "yuv444p"),
    _stored("rgb.mkv", (64, 48), "ffv1", "bgr0"),
    _stored("ten_bits.mkv", (64, 48), "libx265", "yuv420p10le", options={"x265-params": "log-level=none"}),
    _stored("hevc.mp4", (160, 96), "libx265", "yuv420p", options={"x265-params": "log-level=none"}),
    _stored("vp8.webm", (160, 96), "libvpx", "yuv420p", options={"b": "500k"}),
    _stored("vp9.webm", (160, 96), "libvpx-vp9", "yuv420p"),
    _stored("av1.mp4", (160, 96), "libsvtav1", "yuv420p", options={"preset": "11"}),
    _stored("mpeg1.mpg", (160, 96), "mpeg1video", "yuv420p", rate=Fraction(25)),
    # the sizes of H.263 have pixels of 12:11
    _pixels("h263.3gp", Fraction(12, 11), "h263", (176, 144)),
    _stored("motion_jpeg.mov", (160, 96), "mjpeg", "yuvj420p"),
    _stored("huffman.avi", (160, 96), "huffyuv", "rgb24"),
    _stored("prores.mov", (160, 96), "prores", "yuv422p10le"),
    _stored("animation.mov", (160, 96), "qtrle", "rgb24"),
    _stored("windows_media.wmv", (160, 96), "wmv2", "yuv420p", options={"b": "500k"}),
    _stored("flash.flv", (160, 96), "flv1", "yuv420p", options={"b": "500k"}),
    _stored("animated.gif", (160, 96), "gif", "rgb8"),
    _stored("animated.apng", (160, 96), "apng", "rgb24"),
    _stored("see_through.mkv", (64, 48), "ffv1", "bgra"),
    _stored("tiny.mkv", (4, 4), "ffv1", "yuv444p"),
    _stored("flat.mkv", (2000, 4), "ffv1", "yuv444p"),
    _stored("grey_levels.mkv", (64, 48), "ffv1", "yuv422p"),
    Case("changing_size.ts", _changing_size, seen=Seen(2.0, "R" * 5 + "G" * 5 + "B" * 5 + "Y" * 5, 20)),
]
