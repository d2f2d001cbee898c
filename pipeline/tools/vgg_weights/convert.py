"""A published VGG-Face file -> one safetensors file, its format found by its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.numpy import save_file

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture, WeightsError
from pipeline.features.embeddings.weight_file import METADATA
from pipeline.store.digest import sha256_of
from pipeline.tools.vgg_weights import keras, pytorch, torch7
from pipeline.tools.vgg_weights.kernels import Kernel, to_torchvision


@dataclass(frozen=True)
class Format:
    """A published file format.

    name: as in the metadata. recognises: (path, first bytes) -> whether a file has it. bgr: whether
    its first convolution reads blue, green, red.
    """

    name: str
    recognises: Callable[[Path, bytes], bool]
    read: Callable[[Path, Architecture], list[Kernel]]
    bgr: bool


FORMATS = (
    Format("vgg_face_dag.pth", pytorch.recognises, pytorch.read, bgr=False),
    Format("VGG_FACE.t7", torch7.recognises, torch7.read, bgr=True),
    Format("rcmalli_vggface_tf_vgg16.h5", keras.recognises_dense, keras.read, bgr=True),
    Format("vgg_face_weights.h5", keras.recognises_convolutional, keras.read, bgr=True),
)
HINTS = {
    b"\x1f\x8b": "a gzip archive: unpack it first (Oxford's vgg_face_torch.tar.gz holds VGG_FACE.t7)",
    b"<": "a web page, not weights: the download was answered with an error page",
    b"MATLAB": "MatConvNet's file; take one of the four that are read",
    b"PK": "a zip archive that breaks off, or that torch.save did not write (NumPy's npz is one)",
    b"\x93NUMPY": "an array of NumPy (npy)",
    b"\x80": "a pickle, which could run code and is not read",
}


@dataclass(frozen=True)
class Converted:
    """What a conversion read and wrote; sha256 of files, and of the tensors alone.

    tensors_sha256 is the same for two files that hold the same network.
    """

    format: str
    source_sha256: str
    sha256: str
    tensors_sha256: str


def detect(path: Path) -> Format:
    """Return the format of a file by its content.

    Raises:
        WeightsError: no such file, or none of the four formats.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such weight file; see docs/weights.md for where to get one")
    with path.open("rb") as file:
        start = file.read(64)
    for candidate in FORMATS:
        if candidate.recognises(path, start):
            return candidate
    hint = next((text for magic, text in HINTS.items() if start.startswith(magic)), "an unknown format")
    names = ", ".join(known.name for known in FORMATS)
    raise WeightsError(f"{path}: {hint}; expected one of {names} (docs/weights.md)")


def convert(path: Path, target: Path, architecture: Architecture = VGG_FACE) -> Converted:
    """Write the weights up to fc7 as safetensors, atomically; same file, same bytes.

    Raises:
        WeightsError: as `detect`; a tensor is missing or of the wrong shape.
        OSError: `target` cannot be written.
    """
    known = detect(path)
    tensors = to_torchvision(known.read(path, architecture), known.bgr)
    digest = hashlib.sha256()
    for name, tensor in tensors.items():
        digest.update(f"{name}{tensor.shape}".encode())
        digest.update(tensor.data)
    source = {"format": known.name, "sha256": sha256_of(path), "source": path.name}
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        save_file(tensors, partial, metadata={METADATA: json.dumps(source, sort_keys=True)})
        partial.replace(target)
    except SafetensorError as error:
        raise OSError(f"{target}: could not be written ({error})") from None
    finally:
        partial.unlink(missing_ok=True)
    return Converted(known.name, source["sha256"], sha256_of(target), digest.hexdigest())
