"""What comes into a session -> what each of its recognisers says of it."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError
from pipeline.recogniser.error import RecogniserError
from pipeline.running.errors import unusable
from pipeline.serving.answers import About, Predicted, said_of_rows

if TYPE_CHECKING:
    from pipeline.recogniser.enrolment import Enrolment
    from pipeline.recogniser.recogniser import Recogniser
    from pipeline.recogniser.stream import Stream, StreamRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class LiveTimes:
    """How long the windows are that live recognisers of utterances predict, and how far apart, seconds."""

    window: float = 3.0
    hop: float = 1.0

    def of(self, about: About, recogniser: Recogniser) -> LiveTimes:
        """Return the times of a recogniser: of one that sees whole numbers of pictures, the nearest."""
        return self.on_pictures(recogniser.corpus.video.faces.frame_rate_hz) if about.sees else self

    def on_pictures(self, rate_hz: float) -> LiveTimes:
        """Return the nearest times that are whole numbers of pictures, one at least."""
        return LiveTimes(*(_nearest(time, rate_hz) for time in (self.window, self.hop)))


def _nearest(time: float, rate_hz: float) -> float:
    """Return the whole number of pictures, as seconds, that is nearest to a time; a half goes up."""
    if not 0 < time < math.inf:
        return time  # whoever streams refuses it
    return max(1, math.floor(time * rate_hz + 0.5)) / rate_hz


@dataclass(frozen=True)
class Named:
    """The stream of a recogniser. hears, sees: whether it takes sound and pictures."""

    about: About
    stream: Stream

    def __enter__(self) -> Named:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the stream."""
        self.stream.close()


def named_stream(
    about: About, recogniser: Recogniser, rate_hz: int | None, times: LiveTimes, enrolment: Enrolment | None
) -> Named:
    """Begin a stream; rate_hz: of the sound, None where none comes. enrolment: of the speaker.

    Raises:
        RecogniserError: it cannot be live, and why not.
    """
    rate = rate_hz if about.hears else None
    own = times.of(about, recogniser)
    window, hop = (own.window, own.hop) if about.hop is None else (None, None)
    return Named(about, recogniser.stream(rate, window=window, hop=hop, enrolment=enrolment))


@dataclass
class Streams:
    """The streams of a session, by the names of their recognisers; one that fails ends no other."""

    streams: dict[str, Named]
    _all: tuple[Named, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Note what has to be closed at the end."""
        self._all = tuple(self.streams.values())

    def push(self, signal: NDArray[np.float32]) -> list[Predicted]:
        """Take samples, (samples,) in [-1, 1]; return the rows that are now known."""
        hearing = {name: one for name, one in self.streams.items() if one.about.hears}
        return self._said(hearing, lambda stream: stream.push(signal))

    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[Predicted]:
        """Take a picture, (height, width, 3) RGB, and its time, seconds; return the rows now known."""
        seeing = {name: one for name, one in self.streams.items() if one.about.sees}
        return self._said(seeing, lambda stream: stream.push_frame(picture, time))

    def finish(self) -> list[Predicted]:
        """Return the rows that are left; nothing can be pushed any more."""
        return self._said(dict(self.streams), lambda stream: stream.finish())

    def close(self) -> None:
        """Give back what is held, also in the middle."""
        for one in self._all:
            one.stream.close()

    def _said(
        self, streams: Mapping[str, Named], rows: Callable[[Stream], list[StreamRow]]
    ) -> list[Predicted]:
        said = []
        for name, one in streams.items():
            try:
                new = [_row(own) for own in rows(one.stream)]
                said.append(Predicted(recogniser=name, **said_of_rows(new)))
            except (MediaError, RecogniserError) as error:
                said.append(self._ended(name, str(error)))
            except Exception as error:  # noqa: BLE001  (the other recognisers go on)
                logger.warning("live: %s: %s", name, unusable(error))
                said.append(self._ended(name, unusable(error)))
        return said

    def _ended(self, name: str, sentence: str) -> Predicted:
        del self.streams[name]
        return Predicted(recogniser=name, error=sentence)


def _row(row: StreamRow) -> dict[str, Any]:
    return {"start": row.start, "end": row.end, "delay": row.delay, **row.columns}
