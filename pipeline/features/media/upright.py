"""A decoded picture -> the picture as shown: square pixels, turned and mirrored as the file says."""

from __future__ import annotations

import math
import struct
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from numpy.typing import NDArray

MOST_SQUEEZED = 10
"""Pixels wider or narrower than this are a wrong entry, not a format."""
UNSEEN = 0.01
"""Share of the width below which pixels count as square: scaling would blur more than it mends."""


def pixel_aspect(stream: Any) -> Fraction:
    """Return how much wider than high the pixels of a video stream are, 1 where it does not say."""
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    return aspect if 1 / MOST_SQUEEZED <= aspect <= MOST_SQUEEZED else Fraction(1)


def upright(frame: av.VideoFrame, aspect: Fraction = Fraction(1)) -> NDArray[np.uint8]:
    """Return the picture as shown, (height, width, 3).

    Cameras of DV and DVD store pixels that are not square: its lines stay, its width is scaled. Phones
    store it lying, front cameras mirrored, with a matrix that says so.

    aspect: width of a pixel over its height.
    """
    matrix = display_matrix(frame)
    width = round(frame.width * aspect)
    if abs(width - frame.width) > UNSEEN * frame.width:
        frame = frame.reformat(width=width, height=frame.height, format="rgb24", interpolation="BICUBIC")
    return _turned(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8), matrix)


def display_matrix(frame: av.VideoFrame) -> tuple[int, int, int, int] | None:
    """Return a, b, c, d of a frame's display matrix, None if there is none.

    The pixel (x, y), x to the right and y down, is shown at (a x + c y, b x + d y), but for a shift.
    """
    try:
        # not `frame.side_data`, which the frame keeps and which keeps the frame: pictures, and the threads
        # that scaled them, would stay until Python next looks for cycles
        entry: Any = SideDataContainer(frame).get("DISPLAYMATRIX")  # type: ignore[call-arg]
    except ValueError:  # beside it lies a kind that PyAV does not know, such as EXIF: it tells the turn alone
        turn = math.radians(frame.rotation)
        a, b = round(math.cos(turn)), -round(math.sin(turn))
        return a, b, -b, a
    if entry is None:
        return None
    # rows of three numbers, the third of which is for perspective
    a, b, _, c, d = struct.unpack("=5i", bytes(entry)[:20])
    return a, b, c, d


def _turned(image: NDArray[np.uint8], matrix: tuple[int, int, int, int] | None) -> NDArray[np.uint8]:
    """Turn an image by quarters and mirror it; what lies between quarters goes to the nearer one."""
    if matrix is None or not any(matrix):
        return image
    a, b, c, d = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        image = image.transpose(1, 0, 2)
        across, down = c, b
    else:
        across, down = a, d
    image = image[:, ::-1] if across < 0 else image
    return np.ascontiguousarray(image[::-1] if down < 0 else image)
