"""Faces -> an output of the user's ONNX network, by its own input size, colours and scale."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.face_network import Embedder, FaceNetwork
from pipeline.features.extractor import NotReadyError
from pipeline.features.networks.onnx_file import OnnxFile, network_sha256, read_onnx
from pipeline.features.networks.onnx_network import NetworkError, OnnxNetwork, tried
from pipeline.params import Corpus
from pipeline.params.features import OnnxFace

VERSION = 1
"""Raised whenever the same recording gets other numbers, be it in the last bit."""


class Picture(NamedTuple):
    """What a network wants to see of a face.

    side: of the square, pixels. mean, scale: one number or one for each channel, in the order of the colours;
    values of 0 to 255 become (value - mean) / scale. colour: rgb, bgr or grey. layout: nchw or nhwc.
    """

    side: int
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    colour: str
    layout: str

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the network's input for one face."""
        channels = 1 if self.colour == "grey" else 3
        square = (self.side, self.side)
        return (1, channels, *square) if self.layout == "nchw" else (1, *square, channels)

    def of(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return an RGB crop, (side, side, 3), as the network wants it."""
        if self.colour == "grey":
            # the weights of ITU-R BT.601, as OpenCV has them
            colours = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None]
        else:
            colours = crop if self.colour == "rgb" else crop[..., ::-1]
        values = (colours.astype(np.float32) - np.array(self.mean, np.float32)) / np.array(
            self.scale, np.float32
        )
        if self.layout == "nchw":
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], np.float32)


class OnnxEmbedder:
    """A network of an ONNX file that sees one face at a time."""

    def __init__(self, file: OnnxFile, picture: Picture, prefix: str) -> None:
        """Load the network and try it on a grey face, which says how many values it gives.

        prefix: of the features' names.

        Raises:
            NotReadyError: the input has another shape, the network cannot be run, or the output is no vector.
        """
        wanted = picture.shape
        fits = len(file.axes) == 4 and all(a.takes(n) for a, n in zip(file.axes, wanted, strict=True))
        if not fits:
            raise NotReadyError(
                f"{file.path}: its input '{file.input}' is {file.shape or 'one number'}, expected "
                f"{' x '.join(map(str, wanted))} (side {picture.side}, colour {picture.colour}, layout "
                f"{picture.layout})"
            )
        self.size = picture.side
        self.picture = picture
        self.network = OnnxNetwork(file)
        try:
            vector = self._vector(np.full((picture.side, picture.side, 3), 128, np.uint8))
        except NetworkError as error:
            raise NotReadyError(f"{file.path}: cannot be run on a grey face: {error}") from None
        if not np.isfinite(vector).all():
            raise NotReadyError(f"{file.path}: gives values that are not finite for a grey face")
        self.names = tuple(f"{prefix}_{i:04d}" for i in range(len(vector)))

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the output for each face, (faces, values); maps (channels, rows, columns) are averaged."""
        return np.stack([self._vector(crop) for crop in crops])

    def _vector(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = self.network.run(self.picture.of(crop))
        if found.ndim == 4:
            # (1, channels, rows, columns) or (1, rows, columns, channels) -> (1, channels)
            places = (2, 3) if self.picture.layout == "nchw" else (1, 2)
            found = found.mean(axis=places, dtype=np.float64).astype(np.float32)
        if not found.size or found.size != max(found.shape, default=1):
            shape = " x ".join(map(str, found.shape))
            raise NetworkError(
                f"its output '{self.network.file.output}' is {shape}, expected 1 x values, or maps of 4 axes"
            )
        return found.reshape(-1)


@dataclass(frozen=True)
class OnnxFaces(FaceNetwork):
    """The user's network."""

    @property
    def onnx(self) -> OnnxFace:
        """Return its parameters, which the network requires."""
        assert self.embedding.onnx is not None, "refused with the parameters"
        return self.embedding.onnx

    @property
    def picture(self) -> Picture:
        """Return what the network wants to see."""
        own = self.onnx
        return Picture(own.side, own.mean, own.scale, own.colour, own.layout)

    @property
    def emotion_trained(self) -> bool:
        """Say what the user says of the network."""
        return self.onnx.emotion_trained

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the detections that the vectors of a recording depend on.

        Raises:
            NotReadyError: no such file.
        """
        about = self.onnx.model_dump(exclude={"file", "emotion_trained"})
        about |= {"network": "onnx", "margin": self.embedding.margin}
        return {"version": VERSION, "weights": network_sha256(Path(self.onnx.file)), **about}

    def require(self, root: Path) -> None:
        """Refuse a file that cannot be used with these parameters, and try it on a grey face."""
        path = root / self.onnx.file
        tried(_try, (path, self.onnx.output, self.picture), path)

    def embedder(self, device: str) -> Embedder:
        """Return the network."""
        return loaded(Path(self.onnx.file), self.onnx.output, self.picture)


def _try(subject: tuple[Path, str, Picture]) -> None:
    loaded(*subject)


@lru_cache(maxsize=1)
def loaded(path: Path, output: str, picture: Picture, prefix: str = "onnx") -> OnnxEmbedder:
    """Return the network of a file, loaded once.

    Raises:
        NotReadyError: as `read_onnx` and `OnnxEmbedder`.
    """
    return OnnxEmbedder(read_onnx(path, output), picture, prefix)


def extractor(corpus: Corpus) -> OnnxFaces:
    """Return the extractor with a corpus' parameters."""
    return OnnxFaces(corpus.video.embedding, corpus.video.faces.frame_rate_hz)
