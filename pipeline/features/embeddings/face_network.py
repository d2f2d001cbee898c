"""A network that sees the crop of each face taken -> one vector per tick: what such extractors share.

With several faces at a tick (`video.faces.keep: all`) its vector is the mean of theirs.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import Extractor, Given, Reads
from pipeline.features.faces.crops import crop
from pipeline.features.faces.detection import FaceDetector, detect
from pipeline.features.faces.face_table import boxes_at
from pipeline.features.media.frames import Frame, FramesOnGrid
from pipeline.location import Location
from pipeline.params import Embedding
from pipeline.store.rows import Rows

BATCH = 8
"""Faces that a network sees at once: more are no faster, and memory grows with them."""


class Embedder(Protocol):
    """A network that turns square crops into vectors."""

    size: int
    names: tuple[str, ...]

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn crops (faces, size, size, 3) into vectors (faces, values)."""


@dataclass(frozen=True)
class FaceNetwork(Extractor):
    """Embeds the faces of each tick; which network does, a subclass says.

    rate_hz: ticks per second of the detections.
    """

    embedding: Embedding
    rate_hz: float

    reads = Reads(medium="video", table="faces")

    @abstractmethod
    def embedder(self, device: str) -> Embedder:
        """Return the network, kept from one recording to the next.

        Raises:
            NotReadyError: as `require`.
        """

    def extract(self, given: Given, device: str) -> Rows:
        """Embed the faces of one recording, as `embed` does."""
        detections = given.required_rows()
        return embed(given.path, detections, self.rate_hz, self.embedding.margin, self.embedder(device))

    def extract_both(self, before: Extractor, given: Given, device: str) -> tuple[Rows, Rows] | None:
        """Detect the faces of one recording and embed them while its pictures are at hand.

        Whose face is taken with `keep: followed` is known at the end only.
        """
        if not isinstance(before, FaceDetector) or before.faces.keep == "followed":
            return None
        vectors = FaceVectors(self.embedder(device), self.embedding.margin)
        detections = detect(given.path, before.faces, vectors.see)
        return detections, vectors.rows(detections)


def embed(path: Location, detections: Rows, rate_hz: float, margin: float, embedder: Embedder) -> Rows:
    """Embed the faces of each tick.

    detections: rows of `faces.detect`. margin: as for `crop`. Returns one row per tick with the same `start,
    end, valid`; zeros where there is no face. A face that the network gives no finite numbers for is zero and
    not valid either. A frame shown at several ticks is embedded once.

    Raises:
        MediaError: the video cannot be read any more.
    """
    vectors = FaceVectors(embedder, margin)
    for frame in FramesOnGrid(path, rate_hz):
        # the tables were made from the same ticks; the last one may lack ticks if the file was cut since
        vectors.see(frame, boxes_at(detections, frame.ticks.start))
    return vectors.rows(detections)


class FaceVectors:
    """The vectors of faces that are shown one after the other."""

    def __init__(self, embedder: Embedder, margin: float) -> None:
        """Begin; margin: as for `crop`."""
        self.embedder, self.margin = embedder, margin
        self._waiting: list[tuple[range, NDArray[np.uint8]]] = []
        self._found: list[tuple[range, NDArray[np.float32]]] = []

    def see(self, frame: Frame, boxes: NDArray[np.float32]) -> None:
        """Take a frame and the boxes of its faces, (faces, 4)."""
        for box in boxes:
            self._waiting.append((frame.ticks, crop(frame.image, box, self.margin, self.embedder.size)))
            if len(self._waiting) == BATCH:
                self._embed()

    def rows(self, detections: Rows) -> Rows:
        """Return the vectors of all frames, as `embed` does; nothing can be shown any more."""
        if self._waiting:
            self._embed()
        values = np.zeros((len(detections), len(self.embedder.names)), np.float32)
        finite = np.ones(len(detections), np.bool_)
        while self._found:  # given up one by one: memory holds them once
            ticks, vector = self._found.pop()
            faces = [vector]
            while self._found and self._found[-1][0] == ticks:
                faces.insert(0, self._found.pop()[1])
            own = slice(ticks.start, ticks.stop)
            values[own], finite[own] = mean_vector(faces)
        return Rows(detections.start, detections.end, values, detections.valid & finite, self.embedder.names)

    def _embed(self) -> None:
        vectors = self.embedder.embed(np.stack([face for _, face in self._waiting]))
        self._found += zip([ticks for ticks, _ in self._waiting], map(np.copy, vectors), strict=True)
        self._waiting = []


def mean_vector(faces: Iterable[NDArray[np.float32]]) -> tuple[NDArray[np.float32], bool]:
    """Return the mean of the vectors of a picture's faces, (values,), and whether there is one.

    faces: (faces, values), at least one. Those with a number that is not finite are left out; where no other
    is there, it is zeros.
    """
    every = list(faces)
    finite = [vector for vector in every if np.isfinite(vector).all()]
    if not finite:
        return np.zeros_like(every[0]), False
    return finite[0] if len(finite) == 1 else np.stack(finite).mean(axis=0), True
