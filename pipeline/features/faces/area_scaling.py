"""A picture, or squares cut out of it -> smaller or larger ones, each value the mean of what lies below it.

The means are those of PyTorch's adaptive pooling (`interpolate` with mode "area"), as facenet-pytorch scales
pictures for MTCNN. They come from sums over all pixels above and to the left, so that each costs four values
however many pixels it is the mean of; sums of whole numbers are exact.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
Whole = NDArray[np.int64]


class SummedPicture:
    """A picture of which means over rectangles are quickly had."""

    def __init__(self, image: NDArray[np.uint8]) -> None:
        """Sum up a picture (height, width, 3)."""
        self.height, self.width = image.shape[:2]
        # (height + 1, width + 1, 3): entry (row, column) is the sum over the rows and columns before it. In
        # large pictures sums pass int32's end and begin anew; differences, over small rectangles, are right
        self._sums = np.asarray(cv2.integral(image, sdepth=cv2.CV_32S))
        self._flat = self._sums.reshape(-1, self._sums.shape[2])

    def scaled(self, height: int, width: int) -> Pixels:
        """Return the whole picture as (height, width, 3), values 0 to 255."""
        top, bottom = _edges(np.array([self.height]), height)
        left, right = _edges(np.array([self.width]), width)
        rows = self._sums[bottom[0]] - self._sums[top[0]]
        sums = rows[:, right[0]] - rows[:, left[0]]
        return _means(sums, (bottom - top)[0, :, None], (right - left)[0, None, :])

    def squares(self, left: Whole, top: Whole, right: Whole, bottom: Whole, side: int) -> Pixels:
        """Return rectangles of the picture, each scaled to (side, side): (rectangles, side, side, 3).

        left, top, right, bottom: (rectangles,), inside the picture, `right` and `bottom` exclusive.
        """
        above, below = _edges(bottom - top, side)
        before, after = _edges(right - left, side)
        upper, lower = ((each + top[:, None])[:, :, None] * (self.width + 1) for each in (above, below))
        first, last = ((each + left[:, None])[:, None, :] for each in (before, after))
        # (rectangles, side, side) places -> (rectangles, side, side, 3)
        sums = self._flat.take(lower + last, axis=0) - self._flat.take(lower + first, axis=0)
        sums -= self._flat.take(upper + last, axis=0) - self._flat.take(upper + first, axis=0)
        return _means(sums, (below - above)[:, :, None], (after - before)[:, None, :])


def _edges(length: Whole, parts: int) -> tuple[Whole, Whole]:
    """Return where each of some parts of a length begins and ends, (lengths, parts); they may overlap."""
    numbers, lengths = np.arange(parts), length[:, None]
    return numbers * lengths // parts, -(-(numbers + 1) * lengths // parts)


def _means(sums: NDArray[np.int32], rows: Whole, columns: Whole) -> Pixels:
    """Return sums (..., 3) over so many rows and columns, divided by one and then the other."""
    found = sums.astype(np.float32)
    found /= rows[..., None].astype(np.float32)
    found /= columns[..., None].astype(np.float32)
    return found
