"""What a stream is: a recording that comes in pieces, and the rows that are known after each.

A label time's prediction is given once it is known, and not before its time has come.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.params import modality_of
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.prediction import Prediction

if TYPE_CHECKING:
    from types import TracebackType

    from pipeline.recogniser.recogniser import Recogniser


@dataclass(frozen=True)
class StreamRow:
    """The prediction of a label time, or of a window that is an utterance.

    start, end: what it is about, seconds since the beginning. delay: how far behind `start`, of utterances
    behind `end`, lies what was pushed last, seconds: so late the row is. columns: as in a table of `predict`.
    """

    start: float
    end: float
    delay: float
    columns: dict[str, Any]


REFUSED = "refused"
"""The column that says why a window has no prediction; windows with one lack it."""


class Stream(ABC):
    """Takes a recording in pieces of any length.

    ended: how it ended; empty while it goes on.
    """

    ended = ""

    def require_going_on(self) -> None:
        """Refuse what comes behind the end.

        Raises:
            RecogniserError: the stream has ended.
        """
        if self.ended:
            raise RecogniserError(
                f"the stream {self.ended} and takes nothing any more; begin another one (`stream`)"
            )

    @abstractmethod
    def push(self, samples: NDArray[Any]) -> list[StreamRow]:
        """Take samples, (samples,) or (channels, samples), and return the rows that are now known.

        samples: floating-point in [-1, 1], int16 or int32, at the rate of the stream.

        Raises:
            MediaError: they cannot be used.
            RecogniserError: the recogniser hears no sound, or the stream has ended.
        """

    @abstractmethod
    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[StreamRow]:
        """Take a picture, (height, width, 3) RGB, and its time, seconds; return the rows that are now known.

        Raises:
            MediaError: it cannot be used.
            RecogniserError: the recogniser sees no pictures, or the stream has ended.
        """

    @abstractmethod
    def finish(self) -> list[StreamRow]:
        """Return the rows that are left; nothing can be pushed any more.

        Raises:
            MediaError: all that came is shorter than a window.
        """

    @abstractmethod
    def close(self) -> None:
        """Give back what the stream holds; `with` does."""

    def __enter__(self) -> Self:
        """Return the stream."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the stream."""
        self.close()


def place_of(modality: str, sources: Mapping[str, Any], recogniser: Recogniser) -> str:
    """Return the source that takes sound (`audio`) or pictures (`video`).

    Raises:
        RecogniserError: the recogniser needs none.
    """
    found = [name for name in sources if modality_of(name) == modality]
    if found:
        return found[0]
    refusal = {
        "audio": "hears no sound; expected pictures (`push_frame`)",
        "video": "sees no pictures; expected sound (`push`)",
    }
    raise RecogniserError(
        f"{recogniser.name}: predicts from {' and '.join(recogniser.needed)} and {refusal[modality]}"
    )


def refused_row(recogniser: Recogniser, start: float, end: float, delay: float, why: str) -> StreamRow:
    """Return the row of a window that could not be predicted: columns are empty, `refused` says why."""
    dimension, classes = recogniser.dimension, recogniser.classes
    empty = dict.fromkeys([dimension, *(f"{dimension}.{name}" for name in classes)])
    return StreamRow(start, end, delay, {**empty, "valid": False, REFUSED: why})


def stream_rows(
    recogniser: Recogniser, prediction: Prediction, delays: NDArray[np.float64]
) -> list[StreamRow]:
    """Return the rows of a prediction; delays: seconds, (rows,)."""
    if not len(prediction):
        return []
    table = prediction.table("", recogniser.dimension, recogniser.classes)
    records = table.to_dict("records")
    times = zip(prediction.start.tolist(), prediction.end.tolist(), delays.tolist(), strict=True)
    return [
        StreamRow(start, end, delay, {str(key): value for key, value in columns.items()})
        for (start, end, delay), columns in zip(times, records, strict=True)
    ]
