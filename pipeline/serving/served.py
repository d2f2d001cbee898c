"""What an application serves: recognisers, as the rest of this room sees them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.serving.answers import About, Predicted


class Stream(Protocol):
    """The predictions of sound as it comes."""

    def push(self, signal: NDArray[np.float32]) -> list[Predicted]:
        """Take samples, (samples,) in [-1, 1]; return the rows that are now known."""

    def finish(self) -> list[Predicted]:
        """Return the rows that are left; nothing can be pushed any more."""

    def close(self) -> None:
        """Give back what is held, also in the middle."""


class Served(Protocol):
    """Recognisers."""

    @property
    def about(self) -> Sequence[About]:
        """Say what they are."""

    def predict(self, path: Path, limit: float) -> list[Predicted]:
        """Predict a file within `limit` seconds.

        Raises:
            PredictionError: no recogniser can.
        """

    def stream(self, rate_hz: int) -> Stream:
        """Begin to predict sound of a rate, with the recognisers that can."""
