"""A network that sees the crop of each tracked face -> one vector per tick: what such extractors share."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import Extractor, Given, Reads
from pipeline.features.faces.detection import BOX, FaceDetector, detect
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
    """Embeds the tracked face of each tick; which network does, a subclass says.

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
        """Detect the faces of one recording and embed them while its pictures are at hand."""
        if not isinstance(before, FaceDetector):
            return None
        vectors = FaceVectors(self.embedder(device), self.embedding.margin)
        detections = detect(given.path, before.faces, vectors.see)
        return detections, vectors.rows(detections)


def embed(path: Location, detections: Rows, rate_hz: float, margin: float, embedder: Embedder) -> Rows:
    """Embed the tracked face of each tick.

    detections: rows of `faces.detect`. margin: as for `crop`. Returns one row per tick with the same `start,
    end, valid`; zeros where there is no face. A face that the network gives no finite numbers for is zero and
    not valid either. A frame shown at several ticks is embedded once.

    Raises:
        MediaError: the video cannot be read any more.
    """
    boxes = np.stack([detections.column(name) for name in BOX], axis=1)
    vectors = FaceVectors(embedder, margin)
    for frame in FramesOnGrid(path, rate_hz):
        # the tables were made from the same ticks; the last one may lack ticks if the file was cut since
        first = frame.ticks.start
        vectors.see(frame, boxes[first] if detections.valid[first] else None)
    return vectors.rows(detections)


class FaceVectors:
    """The vectors of faces that are shown one after the other."""

    def __init__(self, embedder: Embedder, margin: float) -> None:
        """Begin; margin: as for `crop`."""
        self.embedder, self.margin = embedder, margin
        self._waiting: list[tuple[range, NDArray[np.uint8]]] = []
        self._found: list[tuple[range, NDArray[np.float32]]] = []

    def see(self, frame: Frame, box: NDArray[np.float32] | None) -> None:
        """Take a frame and the box of its face, (4,), None where it has none."""
        if box is not None:
            self._waiting.append((frame.ticks, crop(frame.image, box, self.margin, self.embedder.size)))
        if len(self._waiting) == BATCH:
            self._embed()

    def rows(self, detections: Rows) -> Rows:
        """Return the vectors of all frames, as `embed` does; nothing can be shown any more."""
        if self._waiting:
            self._embed()
        values = np.zeros((len(detections), len(self.embedder.names)), np.float32)
        while self._found:  # given up one by one: memory holds them once
            ticks, vector = self._found.pop()
            values[ticks.start : ticks.stop] = vector
        finite = np.isfinite(values).all(axis=1)
        values[~finite] = 0
        valid = detections.valid & finite
        return Rows(detections.start, detections.end, values, valid, self.embedder.names)

    def _embed(self) -> None:
        vectors = self.embedder.embed(np.stack([face for _, face in self._waiting]))
        self._found += zip([ticks for ticks, _ in self._waiting], map(np.copy, vectors), strict=True)
        self._waiting = []


def crop(image: NDArray[np.uint8], box: NDArray[np.float32], margin: float, size: int) -> NDArray[np.uint8]:
    """Cut the square around a box out of an image and scale it.

    The square's side is the box's longer one, enlarged by `margin` on each side; what lies outside
    the image repeats its edge. image: (height, width, 3). box: (4,) left, top, right, bottom.
    Returns (size, size, 3).
    """
    left, top, right, bottom = (float(v) for v in box)
    side = max(right - left, bottom - top) * (1 + 2 * margin)
    scale = size / max(side, 1.0)
    # The box gives edges; pixel coordinates have their integers at pixel centres, half a pixel off.
    x, y = (left + right - 1) / 2, (top + bottom - 1) / 2
    if scale < 1:
        # shrinking by area keeps what a single interpolation would skip: cut first, then shrink
        whole = max(1, round(side))
        return np.asarray(
            cv2.resize(_cut(image, x, y, 1.0, whole), (size, size), interpolation=cv2.INTER_AREA)
        )
    return _cut(image, x, y, scale, size)


def _cut(image: NDArray[np.uint8], x: float, y: float, scale: float, size: int) -> NDArray[np.uint8]:
    """Return the square of `size` output pixels centred on (x, y), magnified by `scale`."""
    matrix = np.array([[scale, 0, (size - 1) / 2 - scale * x], [0, scale, (size - 1) / 2 - scale * y]])
    flags = cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(image, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    )
