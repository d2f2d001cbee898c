"""What is pushed into a stream -> the rows of windows, each as of a file of its own."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.face_network import FaceNetwork, mean_vector
from pipeline.features.extractor import Extractor, Given, extractor_of
from pipeline.features.faces.crops import crop
from pipeline.features.faces.detection import require_faces
from pipeline.features.faces.face_table import OF_KEEP, boxes_at, tabulated
from pipeline.features.faces.following import Follower
from pipeline.features.faces.mtcnn import Detector, Picture
from pipeline.features.media.frames import Frame
from pipeline.features.pooling.pooling import pool
from pipeline.features.streams.pictures import PicturesOnTicks
from pipeline.features.streams.row_stream import STREAM
from pipeline.features.streams.sound_stream import SoundStream
from pipeline.params.group import is_multiple
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.stream_sources import of_each
from pipeline.running.device import resolve
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser


class Clips(Protocol):
    """Windows of one modality. time: how long what was pushed is, seconds."""

    @property
    def time(self) -> float:
        """Return how long what was pushed is, seconds."""

    def push(self, *given: Any) -> None:
        """Take samples, or a picture and its time."""

    def finish(self) -> None:
        """Note that nothing more comes."""

    def holds(self, number: int) -> bool:
        """Say whether all of a window came."""

    def rows(self, number: int) -> Rows:
        """Return the row of a window.

        Raises:
            MediaError: it cannot be used, as a file that holds it alone could not be.
        """

    def forget(self, number: int) -> None:
        """Drop what lies before a window."""


class SoundClips:
    """Windows of sound, resampled and extracted each by itself."""

    def __init__(self, recogniser: Recogniser, rate: int | None, window: float, hop: float) -> None:
        """Begin.

        Raises:
            RecogniserError: no rate.
            MediaError: no rate of sound.
        """
        if rate is None:
            raise RecogniserError(f"{recogniser.name}: hears sound, expected its rate, `stream(16000, ...)`")
        self.recogniser, self.rate, self.hop = recogniser, rate, hop
        self.length = round(window * rate)
        self.checks = SoundStream(rate, rate)
        self.held: NDArray[Any] | None = None
        self.dropped = 0
        self.said: set[str] = set()  # windows overlap, and there may be thousands

    @property
    def time(self) -> float:
        """Return how long what was pushed is, seconds."""
        return self._stop / self.rate

    @property
    def _stop(self) -> int:
        return self.dropped + (0 if self.held is None else self.held.shape[1])

    def push(self, samples: NDArray[Any]) -> None:
        """Take samples."""
        own = self.checks.checked(samples)
        self.held = own.copy() if self.held is None else np.concatenate([self.held, own], axis=1)

    def finish(self) -> None:
        """Do nothing: samples do not wait."""

    def holds(self, number: int) -> bool:
        """Say whether all of a window came."""
        return self._begin(number) + self.length <= self._stop

    def rows(self, number: int) -> Rows:
        """Return the row of a window."""
        assert self.held is not None, "it holds the window"
        begin = self._begin(number) - self.dropped
        window = self.held[:, begin : begin + self.length]
        return self.recogniser.signal_features(window, self.rate, self.said)

    def forget(self, number: int) -> None:
        """Drop the samples before a window."""
        if self.held is not None:
            gone = min(self._begin(number) - self.dropped, self.held.shape[1])
            self.held, self.dropped = self.held[:, gone:].copy(), self.dropped + gone

    def _begin(self, number: int) -> int:
        return round(number * self.hop * self.rate)


class Seen(NamedTuple):
    """A picture that is shown at some ticks, in which the whole detector looks once for faces."""

    frame: Frame
    picture: Picture


class FaceClips:
    """Windows of pictures: faces are found once, and followed in each window anew."""

    def __init__(self, recogniser: Recogniser, rate: int | None, window: float, hop: float) -> None:
        """Load the networks; rate: of sound, of no matter here.

        Raises:
            RecogniserError: window or hop is no whole number of ticks.
            NotReadyError: a network's file cannot be used.
        """
        corpus = recogniser.corpus
        self.faces, self.corpus, self.device = corpus.video.faces, corpus, resolve(recogniser.device)
        self.rate_hz = self.faces.frame_rate_hz
        for name, value in (("window", window), ("hop", hop)):
            if not is_multiple(value, 1 / self.rate_hz):
                near = max(1, round(value * self.rate_hz)) / self.rate_hz
                raise RecogniserError(
                    f"{recogniser.name}: found {name} {value:g} s, expected a whole number of pictures, "
                    f"of which it sees {self.rate_hz:g} a second, such as {near:g} s"
                )
        self.length, self.hop = round(window * self.rate_hz), round(hop * self.rate_hz)
        self.network: Extractor = extractor_of("embed_faces", corpus)
        self.detector = Detector(self.faces)
        self.pictures = PicturesOnTicks(self.rate_hz)
        self.seen: deque[Seen] = deque()
        self.time = 0.0

    def push(self, picture: NDArray[np.uint8], time: float) -> None:
        """Take a picture and its time."""
        self._see(self.pictures.push(picture, time))
        self.time = max(self.time, time)

    def finish(self) -> None:
        """Take the last picture."""
        self._see(self.pictures.finish().frame)

    def holds(self, number: int) -> bool:
        """Say whether all pictures of a window came."""
        return number * self.hop + self.length <= self.pictures.next_tick

    def rows(self, number: int) -> Rows:
        """Return the row of a window.

        Raises:
            MediaError: a face was found in too few of its pictures, as of a file.
        """
        begin = number * self.hop
        ticks = range(begin, begin + self.length)
        inside = [
            one for one in self.seen if one.frame.ticks.stop > begin and one.frame.ticks.start < ticks.stop
        ]
        detections = self._followed(inside, ticks)
        require_faces(STREAM, detections.valid, self.faces.min_found_share)
        if isinstance(self.network, FaceNetwork):
            vectors = self._embedded(self.network, inside, detections, ticks)
        else:
            vectors = self.network.extract(Given("stream", STREAM, detections), self.device)
        return pool(vectors, self.corpus.video.pooling, self.corpus.grid, str(STREAM))

    def forget(self, number: int) -> None:
        """Drop the pictures before a window."""
        while self.seen and self.seen[0].frame.ticks.stop <= number * self.hop:
            self.seen.popleft()

    def _see(self, frame: Frame | None) -> None:
        if frame is not None:
            self.seen.append(Seen(frame, Picture(self.detector, frame.image)))
            if self.faces.mode == "exact":  # each picture's turn comes: now, when there is time
                _ = self.seen[-1].picture.faces

    def _followed(self, seen: list[Seen], ticks: range) -> Rows:
        """Return the detections of a window, as `pipeline.features.faces.detection.detect` does."""
        follower = Follower(self.faces)
        found = [
            follower.see(one.picture, one.frame.time - ticks.start / self.rate_hz, _inside(one.frame, ticks))
            for one in seen
        ]
        values, valid = tabulated(self.faces.keep, found, len(ticks))
        start = np.arange(len(ticks)) / self.rate_hz
        return Rows(start, start + 1 / self.rate_hz, values, valid, OF_KEEP[self.faces.keep])

    def _embedded(self, network: FaceNetwork, seen: list[Seen], detections: Rows, ticks: range) -> Rows:
        """Return the vectors of a window, as `pipeline.features.embeddings.face_network.embed` does."""
        embedder = network.embedder(self.device)
        values = np.zeros((len(ticks), len(embedder.names)), np.float32)
        finite = np.ones(len(ticks), np.bool_)
        for frame, _ in seen:
            own = _inside(frame, ticks)
            boxes = boxes_at(detections, own.start)
            if len(boxes):
                faces = [crop(frame.image, box, network.embedding.margin, embedder.size) for box in boxes]
                values[own.start : own.stop], finite[own.start : own.stop] = mean_vector(
                    embedder.embed(np.stack(faces))
                )
        return Rows(detections.start, detections.end, values, detections.valid & finite, embedder.names)


def _inside(frame: Frame, ticks: range) -> range:
    """Return at which of a window's ticks a picture is shown."""
    return range(
        max(frame.ticks.start, ticks.start) - ticks.start, min(frame.ticks.stop, ticks.stop) - ticks.start
    )


SOURCES: dict[str, Any] = {"audio": SoundClips, "video": FaceClips}
"""Modality -> its windows."""


def clips_of(recogniser: Recogniser, rate: int | None, window: float, hop: float) -> dict[str, Clips]:
    """Return the windows of each modality that a recogniser needs.

    Raises:
        RecogniserError: as `of_each`; or window or hop is no whole number of pictures.
    """
    return of_each(recogniser, SOURCES, lambda kind: kind(recogniser, rate, window, hop))
