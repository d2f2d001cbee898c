"""Sound and pictures as they come -> the prediction of each window, which is an utterance of its own.

A recogniser of utterances says nothing of a place within one: whoever streams says how long they are
(`window`) and how far apart (`hop`). Each is predicted as a file that holds it alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError
from pipeline.features.streams.row_stream import STREAM, require_length
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.file_features import SIGNAL
from pipeline.recogniser.stream import Stream, StreamRow, place_of, refused_row, stream_rows
from pipeline.recogniser.utterance_sources import clips_of
from pipeline.running.one_thread import one_thread

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser, Speaker

SHORTEST, LONGEST = 0.001, 86_400.0
"""Seconds of windows and hops."""


class UtteranceStream(Stream):
    """The stream of a recogniser of utterances. Memory holds one window."""

    def __init__(
        self, recogniser: Recogniser, rate: int | None, window: float, hop: float, enrolment: Speaker | None
    ) -> None:
        """Begin; rate: of the sound, Hz, None where there is none. window, hop: seconds.

        Raises:
            RecogniserError: the recogniser needs what no stream has, or window and hop cannot be.
        """
        if not all(SHORTEST <= time <= LONGEST for time in (window, hop)):
            raise RecogniserError(
                f"found window {window:g} s and hop {hop:g} s, expected {SHORTEST:g} to {LONGEST:g} s"
            )
        self.recogniser, self.window, self.hop, self.enrolment = recogniser, window, hop, enrolment
        self.sources = clips_of(recogniser, rate, window, hop)
        self.next = 0

    def push(self, samples: NDArray[Any]) -> list[StreamRow]:
        """Take samples; see `Stream`."""
        self.require_going_on()
        self.sources[place_of("audio", self.sources, self.recogniser)].push(samples)
        return self._known()

    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[StreamRow]:
        """Take a picture; see `Stream`."""
        self.require_going_on()
        self.sources[place_of("video", self.sources, self.recogniser)].push(picture, time)
        return self._known()

    def finish(self) -> list[StreamRow]:
        """Return the rows that are left: a window that is not full has none.

        Raises:
            MediaError: all that came is shorter than a window.
        """
        self.require_going_on()
        self.ended = "is finished"
        for source in self.sources.values():
            source.finish()
        rows = self._known()
        if not self.next:
            require_length(min(source.time for source in self.sources.values()), self.window)
            raise MediaError(f"{STREAM}: holds no window of {self.window:g} s")
        return rows

    def close(self) -> None:
        """Drop what is held."""
        self.ended = self.ended or "is closed"
        self.sources = {}

    def _known(self) -> list[StreamRow]:
        rows = []
        while all(source.holds(self.next) for source in self.sources.values()):
            rows += self._window(self.next)
            self.next += 1
            for source in self.sources.values():
                source.forget(self.next)
        return rows

    def _window(self, number: int) -> list[StreamRow]:
        """Return the row of a window; one that would be refused as a file has no prediction and says why."""
        start = np.array([number * self.hop])
        end = start + self.window
        delay = max(source.time for source in self.sources.values()) - end
        try:
            with one_thread():
                own = {name: source.rows(number) for name, source in self.sources.items()}
                prediction = self.recogniser.predict_rows(own, self.enrolment)
        except MediaError as error:
            why = str(error).removeprefix(f"{STREAM}: ").removeprefix(f"{SIGNAL}: ")
            return [refused_row(self.recogniser, float(start[0]), float(end[0]), float(delay[0]), why)]
        return stream_rows(self.recogniser, replace(prediction, start=start, end=end), delay)
