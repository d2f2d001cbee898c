"""What an application serves: recognisers, as the rest of this room sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.serving.answers import About, Fusion, Predicted


class Stream(Protocol):
    """The predictions of what comes."""

    def push(self, signal: NDArray[np.float32]) -> list[Predicted]:
        """Take samples, (samples,) in [-1, 1]; return the rows that are now known."""

    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[Predicted]:
        """Take a picture, (height, width, 3) RGB, and its time, seconds; return the rows now known."""

    def finish(self) -> list[Predicted]:
        """Return the rows that are left; nothing can be pushed any more."""

    def close(self) -> None:
        """Give back what is held, also in the middle."""


class Served(Protocol):
    """Recognisers."""

    @property
    def about(self) -> Sequence[About]:
        """Say what they are."""

    @property
    def fusions(self) -> Sequence[Fusion]:
        """Say which of them are fused."""

    @property
    def pictures_hz(self) -> float:
        """Return how many pictures per second those that can be live look at; 0: none does."""

    def predict(self, path: Path, limit: float) -> list[Predicted]:
        """Predict a file within `limit` seconds.

        Raises:
            PredictionError: no recogniser can.
        """

    def stream(self, rate_hz: int | None, pictures: bool = False) -> Stream:
        """Begin to predict what comes with the recognisers that can.

        rate_hz: of sound; None: none comes. pictures: whether they come.

        Raises:
            RecogniserError: none can.
        """
