"""Pictures as they come -> the rows that detection, embedding and pooling make of the whole video.

Each picture that is shown at a tick is looked at, and the faces are followed that detection would follow.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.face_network import FaceNetwork, mean_vector
from pipeline.features.extractor import extractor_of
from pipeline.features.faces.crops import crop
from pipeline.features.faces.detection import too_few_faces
from pipeline.features.faces.following import Follower
from pipeline.features.faces.mtcnn import Detector, Picture
from pipeline.features.grid import windows_or_whole
from pipeline.features.media.frames import Frame
from pipeline.features.streams.pictures import PicturesOnTicks
from pipeline.features.streams.row_stream import STREAM, NotStreamedError, WindowMoments, require_length
from pipeline.params import Corpus
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)


class FaceRows:
    """Moments over windows of the vectors of the faces followed."""

    def __init__(self, corpus: Corpus, device: str) -> None:
        """Load the networks; device: cpu or cuda.

        Raises:
            NotStreamedError: the features depend on the whole recording.
            NotReadyError: a network's file cannot be used.
        """
        network = extractor_of("embed_faces", corpus)
        if not isinstance(network, FaceNetwork):
            raise NotStreamedError(
                f"video.embedding.network is {corpus.video.embedding.network}, whose features are relative "
                "to the median of the whole recording, which a stream does not know; expected a network that "
                "sees a face"
            )
        faces = corpus.video.faces
        if faces.keep == "followed":
            raise NotStreamedError(
                "video.faces.keep is followed, and who is seen most is known when the recording has ended; "
                "expected largest or all"
            )
        self.grid, self.margin, self.follower = corpus.grid, network.embedding.margin, Follower(faces)
        self.rate_hz = faces.frame_rate_hz
        self.pictures = PicturesOnTicks(faces.frame_rate_hz)
        self.detector, self.embedder = Detector(faces), network.embedder(device)
        self.filled = Filled(corpus.video.pooling.no_face, len(self.embedder.names))
        self.moments = WindowMoments(corpus.grid, self.embedder.names, corpus.video.pooling.statistics)
        self.names = self.moments.names
        self.least, self.found = faces.min_found_share, 0

    def push_frame(self, image: NDArray[np.uint8], time: float) -> Rows | None:
        """Take a picture, (height, width, 3) RGB, and its time, seconds; return the rows that are now known.

        Raises:
            MediaError: no such picture, or a time that jumps by hours.
        """
        frame = self.pictures.push(image, time)
        if frame is None:
            return None
        self._see(frame)
        # nothing is known of the tick after the last one filled; the video is as long as its last tick's time
        until = self.filled.given / self.rate_hz - 2e-6
        return self.moments.known(until, (self.pictures.next_tick - 1) / self.rate_hz)

    def finish(self) -> Rows | None:
        """Return the rows that are left; no picture can be pushed any more.

        A whole that a file could not be, since a face was found too rarely, has been predicted all the same:
        that is said in the log.

        Raises:
            MediaError: no picture was pushed, or all are shorter than a window.
        """
        end = self.pictures.finish()
        if end.frame is not None:
            self._see(end.frame)
        for tick, value, valid in self.filled.finish():
            self.moments.push(tick / self.rate_hz, value, valid)
        if said := too_few_faces(self.found, self.pictures.next_tick, self.least):
            logger.warning("%s: %s: a file like it is refused", STREAM, said)
        last = (self.pictures.next_tick - 1) / self.rate_hz
        duration = min(last + 1 / self.rate_hz, max(end.duration, last))
        require_length(duration, self.moments.places.window)
        return self.moments.finish(windows_or_whole(duration, self.grid)[0])

    def close(self) -> None:
        """Nothing is held that has to be given back."""

    def _see(self, frame: Frame) -> None:
        """Follow the faces of a picture, and take their vector for all ticks at which it is shown."""
        seen = self.follower.see(Picture(self.detector, frame.image), frame.time, frame.ticks)
        boxes = seen.found.boxes
        self.found += len(frame.ticks) * (len(boxes) > 0)
        value, valid = np.zeros(len(self.embedder.names), np.float32), False
        if len(boxes):
            crops = [crop(frame.image, box, self.margin, self.embedder.size) for box in boxes]
            value, valid = mean_vector(self.embedder.embed(np.stack(crops)))
        for _ in frame.ticks:
            for tick, own, known in self.filled.push(value, valid):
                self.moments.push(tick / self.rate_hz, own, known)


class Filled:
    """Vectors of ticks, in which those without a face are replaced, as `pool` does.

    A vector is given as soon as it is known: with `hold` those before the first face with that face, with
    `interpolate` those between two faces with the second. given: how many were given.
    """

    def __init__(self, no_face: str, size: int) -> None:
        """Begin; no_face: hold, interpolate or zero. size: values of a vector."""
        self.no_face = no_face
        self.zeros = np.zeros(size, np.float32)
        self.given = 0
        self.waiting = 0
        self.last: NDArray[np.float32] | None = None

    def push(
        self, value: NDArray[np.float32], valid: bool
    ) -> Iterator[tuple[int, NDArray[np.float32], bool]]:
        """Take the vector of the next tick; give those that are known: tick, vector, is there a face."""
        if valid:
            yield from self._between(value)
            self.last = value
            yield self._next(value, True)
        elif self.no_face == "zero":
            yield self._next(self.zeros, False)
        elif self.no_face == "hold" and self.last is not None:
            yield self._next(self.last, False)
        else:
            self.waiting += 1

    def finish(self) -> Iterator[tuple[int, NDArray[np.float32], bool]]:
        """Give what still waits: the last face is held; without any face there are zeros."""
        yield from self._between(self.zeros if self.last is None else self.last)

    def _between(self, value: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32], bool]]:
        """Give the vectors that waited for the next face."""
        count, self.waiting = self.waiting, 0
        for place in range(1, count + 1):
            share = np.float32(place / (count + 1))
            yield self._next(value if self.last is None else self.last * (1 - share) + value * share, False)

    def _next(self, value: NDArray[np.float32], valid: bool) -> tuple[int, NDArray[np.float32], bool]:
        self.given += 1
        return self.given - 1, value, valid
