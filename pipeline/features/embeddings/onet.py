"""Faces -> 256 values of the face detector's own last network, shipped with it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pipeline.features.embeddings.face_network import Embedder, FaceNetwork
from pipeline.features.faces.mtcnn import OnetEmbedder
from pipeline.features.faces.mtcnn_weights import weights_sha256
from pipeline.params import Corpus

VERSION = 3
"""Raised whenever the same recording gets other numbers, be it in the last bit."""


class Onet(FaceNetwork):
    """O-Net's layer dense5."""

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the detections that the vectors of a recording depend on."""
        own = self.embedding.model_dump(include={"network", "activation", "margin"})
        return {"version": VERSION, "weights": weights_sha256(), **own}

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of the layer's values."""
        return OnetEmbedder.names

    def embedder(self, device: str) -> Embedder:
        """Return O-Net."""
        return _embedder(self.embedding.activation)


@lru_cache(maxsize=1)
def _embedder(activation: str) -> Embedder:
    return OnetEmbedder(activation)


def extractor(corpus: Corpus) -> Onet:
    """Return the extractor with a corpus' parameters."""
    return Onet(corpus.video.embedding, corpus.video.faces.frame_rate_hz)
