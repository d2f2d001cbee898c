"""Pictures as shown: turned, mirrored and with square pixels, against arrays made here."""

from __future__ import annotations

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.upright import pixel_aspect
from pipeline.tools.cutting import cut

ONE = 1 << 16
MATRICES = {
    "as it lies": (1, 0, 0, 1),
    "quarter turn to the right": (0, 1, -1, 0),
    "half turn": (-1, 0, 0, -1),
    "quarter turn to the left": (0, -1, 1, 0),
    "mirrored left to right": (-1, 0, 0, 1),
    "mirrored top to bottom": (1, 0, 0, -1),
    "mirrored along the diagonal": (0, 1, 1, 0),
    "mirrored along the other one": (0, -1, -1, 0),
}
"""a, b, c, d: the pixel (x, y) is shown at (a x + c y, b x + d y)."""


def corners(height=48, width=64):
    """Draw a picture whose four corners differ: red, green, blue, white from top left in reading order."""
    image = np.zeros((height, width, 3), np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    image[height // 2 :, width // 2 :] = 255
    return image


def write(path, image, seconds=1.0, aspect=None):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "1"})
        stream.height, stream.width = image.shape[:2]
        stream.pix_fmt = "yuv444p"
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for number in range(round(seconds * 10)):
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_matrix(path, matrix):
    """Write a display matrix into the track header of an MP4 file."""
    blob = bytearray(path.read_bytes())
    place = blob.index(b"tkhd") + 4 + 40  # version 0: 40 bytes come before the matrix
    a, b, c, d = (ONE * value for value in matrix)
    blob[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(blob)
    return path


def shown(image, matrix):
    """Put each pixel where the matrix says, one by one."""
    a, b, c, d = matrix
    height, width = image.shape[:2]
    places = {(a * x + c * y, b * x + d * y): image[y, x] for y in range(height) for x in range(width)}
    left, top = (min(place[axis] for place in places) for axis in (0, 1))
    result = np.zeros((width, height, 3) if b else image.shape, np.uint8)
    for (x, y), pixel in places.items():
        result[y - top, x - left] = pixel
    return result


@pytest.mark.parametrize("matrix", MATRICES.values(), ids=MATRICES)
def test_turned_and_mirrored_as_the_file_says(tmp_path, matrix):
    path = with_matrix(write(tmp_path / "a.mp4", corners()), matrix)
    (frame, *_) = FramesOnGrid(path, 5.0)
    np.testing.assert_allclose(frame.image.astype(int), shown(corners(), matrix).astype(int), atol=12)
    cut(path, 0.0, 0.5, tmp_path / "cut.mp4")
    (frame, *_) = FramesOnGrid(tmp_path / "cut.mp4", 5.0)
    expected = shown(corners(), matrix).astype(int)
    inner = np.abs(frame.image.astype(int) - expected).mean()
    assert inner < 12  # colours of half resolution differ along the edges


@pytest.mark.parametrize(
    ("aspect", "width"),
    [
        (Fraction(2), 128),
        (Fraction(64, 45), 91),
        (Fraction(8, 9), 57),
        (Fraction(1), 64),
        (Fraction(1001, 1000), 64),
        (None, 64),
    ],
)
def test_pixels_that_are_not_square_are_made_so(tmp_path, aspect, width):
    path = write(tmp_path / "a.mp4", corners(), aspect=aspect)
    (frame, *_) = FramesOnGrid(path, 5.0)
    assert frame.image.shape == (48, width, 3)
    quarters = frame.image[12::24, [width // 4, 3 * width // 4]].reshape(4, 3).astype(int)
    np.testing.assert_allclose(quarters, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255,) * 3], atol=12)


def test_a_turned_picture_is_scaled_before_it_is_turned(tmp_path):
    path = with_matrix(write(tmp_path / "a.mp4", corners(), aspect=Fraction(2)), (0, 1, -1, 0))
    (frame, *_) = FramesOnGrid(path, 5.0)
    assert frame.image.shape == (128, 48, 3)


def test_an_aspect_that_cannot_be_is_not_believed():
    class Stream:
        sample_aspect_ratio = Fraction(1, 1000)

    assert pixel_aspect(Stream()) == 1


def test_pictures_that_carry_what_pyav_does_not_know(clips):
    """A still with EXIF beside its pixels."""
    (frame, *_) = FramesOnGrid(clips / "multiface.jpg", 1.0)
    assert frame.image.shape[2] == 3


def test_sizes_that_change_in_the_stream(tmp_path):
    """Two MPEG-TS files of different size end to end, as a camera writes that is turned."""
    parts = [write(tmp_path / f"{h}.ts", corners(h, w)).read_bytes() for h, w in ((48, 64), (64, 48))]
    (tmp_path / "both.ts").write_bytes(b"".join(parts))
    video = FramesOnGrid(tmp_path / "both.ts", 5.0)
    frames = list(video)
    assert {frame.image.shape for frame in frames} == {(48, 64, 3), (64, 48, 3)}
    assert video.duration == pytest.approx(2.0, abs=0.15)
    assert [tick for frame in frames for tick in frame.ticks] == list(range(len(frames)))
