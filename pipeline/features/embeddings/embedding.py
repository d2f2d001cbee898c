"""Detected faces -> one vector per tick. A new embedding is one class and one entry in `_embedder`.

`landmarks` is none of those: it describes the detections themselves and reads no picture.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings import landmarks, weight_file
from pipeline.features.faces import mtcnn, mtcnn_weights
from pipeline.features.faces.detection import BOX, batches_of_equal_size
from pipeline.features.media.frames import FramesOnGrid
from pipeline.location import Location
from pipeline.params import Embedding
from pipeline.store.rows import Rows

VERSIONS = {"mtcnn_onet": 2, "vgg_face": 1}
"""By network: raised whenever the same recording gets other numbers, be it in the last bit."""


class Embedder(Protocol):
    """A network that turns square crops into vectors."""

    size: int
    names: tuple[str, ...]

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Turn crops (faces, size, size, 3) into vectors (faces, values)."""


def reads_pictures(embedding: Embedding) -> bool:
    """Say whether the vectors are made from pictures, or from the detections alone."""
    return embedding.network != "landmarks"


def needs_device(embedding: Embedding) -> bool:
    """Say whether the network runs in torch, on `runtime.device`: the others do without torch."""
    return embedding.network == "vgg_face"


def fingerprint(embedding: Embedding) -> dict[str, object]:
    """Return everything but the detections that the vectors of a recording depend on.

    Raises:
        WeightsError: the weight file is missing.
    """
    if not reads_pictures(embedding):  # its activation and margin change nothing
        return {"version": landmarks.VERSION, "network": embedding.network}
    if embedding.weights is None:
        weights = mtcnn_weights.weights_sha256()
    else:
        weights = weight_file.weights_sha256(Path(embedding.weights))
    version = VERSIONS[embedding.network]
    return {"version": version, "weights": weights, **embedding.model_dump(exclude={"weights"})}


def embed(path: Location, detections: Rows, rate_hz: float, embedding: Embedding, device: str) -> Rows:
    """Embed the tracked face of each tick.

    detections: rows of `faces.detect`. device: `cpu` or `cuda`, for networks of `needs_device`. Returns
    one row per tick with the same `start, end, valid`; zeros where there is no face. A frame shown at
    several ticks is embedded once. The video is opened only if the embedding reads pictures.

    Raises:
        MediaError: the video cannot be read any more.
        WeightsError: the weight file is missing or wrong.
    """
    if not reads_pictures(embedding):
        return landmarks.geometry(detections)
    embedder = _embedder(embedding, device)
    boxes = np.stack([detections.column(name) for name in BOX], axis=1)
    values = np.zeros((len(detections), len(embedder.names)), np.float32)
    for batch in batches_of_equal_size(FramesOnGrid(path, rate_hz)):
        # the tables were made from the same ticks; the last one may lack ticks if the file was cut since
        with_face = [frame for frame in batch if detections.valid[frame.ticks.start]]
        if not with_face:
            continue
        crops = [crop(f.image, boxes[f.ticks.start], embedding.margin, embedder.size) for f in with_face]
        for frame, vector in zip(with_face, embedder.embed(np.stack(crops)), strict=True):
            values[frame.ticks.start : frame.ticks.stop] = vector
    return Rows(detections.start, detections.end, values, detections.valid, embedder.names)


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


@lru_cache(maxsize=1)
def _embedder(embedding: Embedding, device: str) -> Embedder:
    if embedding.network == "vgg_face":
        from pipeline.features.embeddings.vgg_face import VggFaceEmbedder

        return VggFaceEmbedder(Path(str(embedding.weights)), embedding.activation, device)
    return mtcnn.OnetEmbedder(embedding.activation)
