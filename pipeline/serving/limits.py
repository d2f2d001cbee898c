"""What a server takes from whoever reaches it."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import HTTPException

LARGEST_MESSAGE = 1 << 20
"""Bytes of one message of a live session: more than a second of sound at any rate."""
RATES_HZ = (8_000, 192_000)
"""The lowest and the highest sampling rate of live sound."""
PICTURE_PIXELS = 1920 * 1080
"""Pixels of a picture of a live session."""
PICTURE_TIME = 5.0
"""Seconds that decoding one may take."""
PICTURES_HZ = 60
"""Pictures per second of their own time, and as many at once in addition."""
RETRY_AFTER = 5
"""Seconds after which somebody who found no place should ask again."""


@dataclass(frozen=True)
class Limits:
    """How much, how long, how many.

    size: bytes of an upload. time: seconds that an upload may take to arrive, and again to be predicted.
    sessions: uploads at once, and as many live sessions. length: seconds of a live session. silence: seconds
    without a message after which a live session ends.
    """

    size: int = 100_000_000
    time: float = 120.0
    sessions: int = 2
    length: float = 3600.0
    silence: float = 30.0


class Slots:
    """Places for what is done at once, `with slots:`; who finds none left is told so and does not wait."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __enter__(self) -> None:
        """Take a place.

        Raises:
            HTTPException: there is none (503).
        """
        if not self.left:
            raise HTTPException(
                503,
                "as many as this server takes at once are at work; try again",
                {"retry-after": str(RETRY_AFTER)},
            )
        self.left -= 1

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        self.left += 1
