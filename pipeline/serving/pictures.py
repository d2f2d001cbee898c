"""A picture that a live session sent, JPEG -> its pixels, decoded in a process that may die or hang."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.running.errors import one_line
from pipeline.serving.limits import PICTURE_PIXELS, PICTURE_TIME
from pipeline.serving.predictions import PredictionError, apart


class PictureError(ValueError):
    """Report what is no picture that is taken: why, and what would be right."""


def picture_of(data: bytes) -> NDArray[np.uint8]:
    """Return a picture, (height, width, 3) RGB.

    Raises:
        PictureError: it is no JPEG, too large or damaged.
    """
    try:
        picture: NDArray[np.uint8] = apart(decoded, (), data, PICTURE_TIME)
    except PredictionError as error:
        raise PictureError(f"a picture: {error}") from None
    return picture


def decoded(data: bytes) -> NDArray[np.uint8]:
    """Decode a picture here, (height, width, 3) in RGB; see `picture_of`.

    Raises:
        PictureError: it is no JPEG, or too large.
    """
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            width, height = picture.size
            if width * height > PICTURE_PIXELS:
                raise PictureError(
                    f"a picture of {width} x {height} pixels, expected {PICTURE_PIXELS:,} at most"
                )
            return np.asarray(picture.convert("RGB"), np.uint8)
    except PictureError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"expected a JPEG after its time ({one_line(str(error))})") from None
