"""Faces -> fc7 of VGG-Face, by the user's file of weights."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.features.embeddings import weight_file
from pipeline.features.embeddings.face_network import Embedder, FaceNetwork
from pipeline.features.embeddings.vgg_architecture import VGG_FACE
from pipeline.params import Corpus

VERSION = 4
"""Raised whenever the same recording gets other numbers, be it in the last bit."""


class VggFace(FaceNetwork):
    """fc7 of VGG-Face."""

    @property
    def path(self) -> Path:
        """Return the file of the weights, which its parameters require."""
        return Path(str(self.embedding.weights))

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the detections that the vectors of a recording depend on.

        Raises:
            WeightsError: the weight file is missing.
        """
        own = self.embedding.model_dump(include={"network", "activation", "margin"})
        if self.embedding.precision != "float32":  # units made before there was a choice stay valid
            own["precision"] = self.embedding.precision
        return {"version": VERSION, "weights": weight_file.weights_sha256(self.path), **own}

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of the layer's values."""
        return VGG_FACE.names

    def require(self, root: Path) -> None:
        """Refuse weights that are not there or are of another network, and a precision that is not there."""
        weight_file.require_tensors(root / self.path)
        if self.embedding.precision == "bfloat16":
            from pipeline.features.embeddings.vgg_bfloat16 import require_bfloat16

            require_bfloat16()

    def embedder(self, device: str) -> Embedder:
        """Return the network."""
        return _embedder(self.path, self.embedding.activation, self.embedding.precision)


@lru_cache(maxsize=1)
def _embedder(path: Path, activation: str, precision: str) -> Embedder:
    # imported here: a stage that finds all in the store does without what it needs
    if precision == "bfloat16":
        from pipeline.features.embeddings.vgg_bfloat16 import VggFaceBfloat16

        return VggFaceBfloat16(path, activation)
    from pipeline.features.embeddings.vgg_face import VggFaceEmbedder

    return VggFaceEmbedder(path, activation)


def extractor(corpus: Corpus) -> VggFace:
    """Return the extractor with a corpus' parameters."""
    return VggFace(corpus.video.embedding, corpus.video.faces.frame_rate_hz)
