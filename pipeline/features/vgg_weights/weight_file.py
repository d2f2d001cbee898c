"""The user's file of VGG-Face weights: is it there, and what is its hash. Needs no torch."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from pipeline.features.vgg_weights.architecture import WeightsError


def require_file(path: Path) -> None:
    """Refuse a weight file that is not there.

    Raises:
        WeightsError: no such file; what to do.
    """
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such weight file; video.embedding.weights in params.yaml names a safetensors file "
            "of VGG-Face, made by `emobed weights import` (docs/weights.md); or set "
            "video.embedding.network to mtcnn_onet"
        )


@lru_cache(maxsize=4)
def weights_sha256(path: Path) -> str:
    """Return the hash of a weight file.

    Raises:
        WeightsError: no such file.
    """
    require_file(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
