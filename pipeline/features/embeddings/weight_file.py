"""The user's file of VGG-Face weights: is it there, and what is its hash. Needs no torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture, WeightsError, require_shape
from pipeline.store.digest import sha256_of

METADATA = "emobed"
"""The one metadata key of an imported file; with two or more, safetensors writes them in any order."""


def require_file(path: Path) -> None:
    """Refuse a weight file that is not there.

    Raises:
        WeightsError: no such file; what to do.
    """
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such weight file; expected a safetensors file of VGG-Face, made by "
            "`emobed weights import` (docs/weights.md); or set video.embedding.network to mtcnn_onet and "
            "weights to null"
        )


def require_tensors(path: Path, architecture: Architecture = VGG_FACE) -> None:
    """Refuse a weight file that the network could not read, by its header alone.

    Raises:
        WeightsError: no such file, not safetensors, a tensor is missing or of the wrong shape, or the file
            was not made by `emobed weights import`, which alone sees what the network was trained on.
    """
    require_file(path)
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            imported = METADATA in (file.metadata() or {})
            names = set(file.keys())
            shapes = {
                name: tuple(file.get_slice(name).get_shape()) for name in architecture.shapes if name in names
            }
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path}: not a safetensors file ({error}); see docs/weights.md") from None
    for name, shape in architecture.shapes.items():
        require_shape(path, name, shapes.get(name), shape)
    if not imported:
        raise WeightsError(
            f"{path}: was not made by `emobed weights import`; a VGG-16 of ImageNet has the same tensors and "
            "knows no faces: import one of the four published files of VGG-Face (docs/weights.md)"
        )


@lru_cache(maxsize=4)
def weights_sha256(path: Path) -> str:
    """Return the hash of a weight file.

    Raises:
        WeightsError: no such file.
    """
    require_file(path)
    return sha256_of(path)
