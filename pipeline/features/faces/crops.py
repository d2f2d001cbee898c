"""A picture and a box -> the square about the box, scaled to what a network sees."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray


def crop(image: NDArray[np.uint8], box: NDArray[np.float32], margin: float, size: int) -> NDArray[np.uint8]:
    """Cut the square around a box out of an image and scale it.

    The square's side is the box's longer one, enlarged by `margin` on each side; what lies outside
    the image repeats its edge. image: (height, width, 3). box: (4,) left, top, right, bottom.
    Returns (size, size, 3).
    """
    left, top, right, bottom = (float(v) for v in box)
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    scale = size / max(side, 1.0)
    # The box gives edges; pixel coordinates have their integers at pixel centres, half a pixel off.
    x, y = (left + right - 1) / 2, (top + bottom - 1) / 2
    if scale < 1:
        # shrinking by area keeps what a single interpolation would skip: cut first, then shrink
        whole = max(1, round(side))
        return np.asarray(
            cv2.resize(_cut(image, x, y, 1.0, whole), (size, size), interpolation=cv2.INTER_AREA)
        )
    return _cut(image, x, y, scale, size)


def _cut(image: NDArray[np.uint8], x: float, y: float, scale: float, size: int) -> NDArray[np.uint8]:
    """Return the square of `size` output pixels centred on (x, y), magnified by `scale`."""
    matrix = np.array([[scale, 0, (size - 1) / 2 - scale * x], [0, scale, (size - 1) / 2 - scale * y]])
    flags = cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
