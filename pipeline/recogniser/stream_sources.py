"""What is pushed into a stream -> rows of one modality, and how far what was pushed reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import NotReadyError
from pipeline.features.streams.face_rows import FaceRows
from pipeline.features.streams.row_stream import NotStreamedError, joined
from pipeline.features.streams.sound_rows import sound_rows
from pipeline.features.streams.sound_stream import SoundStream
from pipeline.params import modality_of
from pipeline.recogniser.error import RecogniserError
from pipeline.running.device import resolve
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser

T = TypeVar("T")


class Source(Protocol):
    """Rows of one modality. time: how long what was pushed is, seconds."""

    @property
    def time(self) -> float:
        """Return how long what was pushed is, seconds."""

    def push(self, *given: Any) -> Rows | None:
        """Take samples, or a picture and its time."""

    def finish(self) -> Rows | None:
        """Return the rows that are left."""

    def close(self) -> None:
        """Give back what is held."""


class SoundSource:
    """Samples of any rate -> rows of sound."""

    def __init__(self, recogniser: Recogniser, rate: int | None) -> None:
        """Begin.

        Raises:
            RecogniserError: no rate.
            MediaError: no rate of sound.
            NotStreamedError, NotReadyError: as `sound_rows`.
        """
        if rate is None:
            raise RecogniserError(f"{recogniser.name}: hears sound, expected its rate, `stream(16000)`")
        own = recogniser.corpus.audio.sampling_rate_hz
        self.rate = rate
        self.sound = SoundStream(rate, rate if own == "native" else own)
        self.rows = sound_rows(recogniser.corpus, rate if own == "native" else own)
        self.samples = 0

    @property
    def time(self) -> float:
        """Return how long what was pushed is, seconds."""
        return self.samples / self.rate

    def push(self, samples: NDArray[Any]) -> Rows | None:
        """Take samples."""
        signal = self.sound.push(samples)
        self.samples += np.shape(samples)[-1]
        return self.rows.push(signal)

    def finish(self) -> Rows | None:
        """Return the rows that are left."""
        return joined([self.rows.push(self.sound.finish()), self.rows.finish()])

    def close(self) -> None:
        """Stop what computes."""
        self.rows.close()


class PictureSource:
    """Pictures -> rows of the face."""

    def __init__(self, recogniser: Recogniser, rate: int | None) -> None:
        """Load the networks; rate: of sound, of no matter here.

        Raises:
            NotStreamedError, NotReadyError: as `FaceRows`.
        """
        self.rows = FaceRows(recogniser.corpus, resolve(recogniser.device))
        self.time = 0.0

    def push(self, picture: NDArray[np.uint8], time: float) -> Rows | None:
        """Take a picture and its time."""
        found = self.rows.push_frame(picture, time)
        self.time = max(self.time, time)
        return found

    def finish(self) -> Rows | None:
        """Return the rows that are left."""
        return self.rows.finish()

    def close(self) -> None:
        """Do nothing: nothing has to be given back."""


SOURCES: dict[str, Any] = {"audio": SoundSource, "video": PictureSource}
"""Modality -> its source."""


def sources_of(recogniser: Recogniser, rate: int | None) -> dict[str, Source]:
    """Return the source of each modality that a recogniser needs.

    Raises:
        RecogniserError: as `of_each`.
    """
    return of_each(recogniser, SOURCES, lambda kind: kind(recogniser, rate))


def of_each(recogniser: Recogniser, kinds: Mapping[str, Any], made: Callable[[Any], T]) -> dict[str, T]:
    """Return what is made of the kind of each modality that a recogniser needs, by modality.

    Raises:
        RecogniserError: one cannot come in pieces, sound comes without a rate, or a network's file cannot be
            used.
    """
    found: dict[str, T] = {}
    for name in recogniser.needed:
        kind = kinds.get(modality_of(name))
        if kind is None:
            raise RecogniserError(
                f"{recogniser.folder}: predicts from {name}, which has no stream; expected audio or video"
            )
        recogniser.require_made(name)
        try:
            found[name] = made(kind)
        except (NotStreamedError, NotReadyError) as error:
            raise RecogniserError(f"{recogniser.folder}: {error}") from None
    return found
