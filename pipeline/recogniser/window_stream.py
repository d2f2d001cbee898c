"""Sound and pictures as they come -> the predictions of label times, as for the whole recording.

A prediction is known half a window later than its time where windows are centred (`grid.alignment: centre`),
less the annotation delay, plus what extraction and a median filter wait for. Memory holds one window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from pipeline.features.streams.row_stream import cut, joined
from pipeline.learning.stepping import NotSteppedError
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.prediction import Prediction
from pipeline.recogniser.stepped_models import SteppedModels
from pipeline.recogniser.stream import Stream, StreamRow, place_of, stream_rows
from pipeline.recogniser.stream_outputs import StreamOutputs
from pipeline.recogniser.stream_sources import sources_of
from pipeline.running.one_thread import one_thread
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.learning.scaling import Enrolled
    from pipeline.recogniser.recogniser import Recogniser

EARLY = 1e-6
"""Seconds by which sums of hops are off."""


class WindowStream(Stream):
    """The stream of a recogniser with windows: features, networks, post-processing go on from piece to piece.

    Its values equal those of `predict` on the whole, to the rounding of networks that go on from row to row.
    """

    def __init__(
        self, recogniser: Recogniser, rate: int | None, enrolment: Enrolled | Mapping[str, Enrolled]
    ) -> None:
        """Begin; rate: of the sound, Hz, None where there is none. enrolment: what `ModelsOfSetting` takes.

        Raises:
            RecogniserError: its features or networks need the whole recording, or sound comes without a rate.
            MediaError: no rate of sound.
        """
        self.recogniser = recogniser
        hop = recogniser.corpus.grid.hop
        assert hop is not None, "streams of utterances are of another kind"
        self.hop = hop
        try:
            self.models = SteppedModels(recogniser.models, enrolment)
        except NotSteppedError as error:
            raise RecogniserError(f"{recogniser.folder}: {error}") from None
        about = recogniser.description
        self.outputs = StreamOutputs(
            len(about.seeds), int(recogniser.models.about["delay_frames"]), about.chains
        )
        self.sources = sources_of(recogniser, rate)
        self.libraries = ThreadpoolController()
        self.waiting: dict[str, list[Rows]] = {name: [] for name in self.sources}
        self.valid = np.zeros(0, np.bool_)
        self.valid_from = 0

    def push(self, samples: NDArray[Any]) -> list[StreamRow]:
        """Take samples; see `Stream`."""
        self.require_going_on()
        return self._pushed("audio", samples)

    def push_frame(self, picture: NDArray[np.uint8], time: float) -> list[StreamRow]:
        """Take a picture; see `Stream`."""
        self.require_going_on()
        return self._pushed("video", picture, time)

    def finish(self) -> list[StreamRow]:
        """Return the rows that are left; see `Stream`."""
        self.require_going_on()
        self.ended = "is finished"
        with one_thread(self.libraries):
            for name, source in self.sources.items():
                self._wait(name, source.finish())
            self._go_on()
        return self._rows(self.outputs.finish())

    def close(self) -> None:
        """Give back what the sources hold."""
        self.ended = self.ended or "is closed"
        for source in self.sources.values():
            source.close()

    def _pushed(self, modality: str, *given: Any) -> list[StreamRow]:
        name = place_of(modality, self.sources, self.recogniser)
        with one_thread(self.libraries):  # as in extraction: more threads round differently
            self._wait(name, self.sources[name].push(*given))
            self._go_on()
        come = min(source.time for source in self.sources.values())
        return self._rows(self.outputs.known(int((come + EARLY) / self.hop) + 1))

    def _wait(self, name: str, rows: Rows | None) -> None:
        if rows is not None:
            self.waiting[name].append(rows)

    def _go_on(self) -> None:
        """Let the networks go on over the rows that all modalities have."""
        count = min(sum(map(len, parts)) for parts in self.waiting.values())
        if not count:
            return
        rows = {}
        for name, parts in self.waiting.items():
            whole = joined(parts)
            assert whole is not None, f"{count} rows wait"
            rows[name] = cut(whole, 0, count)
            self.waiting[name] = [cut(whole, count, len(whole))] if len(whole) > count else []
        self.outputs.push(self.models.go_on(rows))
        valid = np.logical_and.reduce([own.valid for own in rows.values()])
        self.valid = np.concatenate([self.valid, valid])

    def _rows(self, by_seed: NDArray[np.float64]) -> list[StreamRow]:
        """Return rows for the label times that come next, (seeds, frames)."""
        count = by_seed.shape[1]
        first = self.outputs.next - count
        valid = self._valid(first, count)
        start = np.arange(first, first + count) * self.hop
        about = self.recogniser.description
        prediction = Prediction(
            start,
            start + self.hop,
            valid,
            by_seed,
            about.calibration,
            self.models.beyond,
            about.domain,
            label_range=about.label_range,
        )
        come = max((source.time for source in self.sources.values()), default=0.0)
        return stream_rows(self.recogniser, prediction, come - start)

    def _valid(self, first: int, count: int) -> NDArray[np.bool_]:
        """Return which of the next label times' own rows describe the recording.

        Of a time that is given before its own row is known, by the annotation delay, the row that it was
        predicted from says so.
        """
        places = np.minimum(np.arange(first, first + count) - self.valid_from, len(self.valid) - 1)
        valid = self.valid[places] if count else np.zeros(0, np.bool_)
        gone = max(0, min(first + count - self.valid_from, len(self.valid) - 1))
        self.valid, self.valid_from = self.valid[gone:], self.valid_from + gone
        return valid
