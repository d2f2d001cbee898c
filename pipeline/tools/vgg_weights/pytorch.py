"""`vgg_face_dag.pth`: a PyTorch state dict with the paper's layer names, RGB, flatten order C, H, W."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import (
    CLASSIFIER,
    Architecture,
    WeightsError,
    require_classes,
    require_shape,
)
from pipeline.tools.vgg_weights.kernels import Kernel
from pipeline.tools.vgg_weights.state_dict import read_tensors

LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
"""Start of what torch.save wrote before its zip format (torch/serialization.py, MAGIC_NUMBER)."""


def recognises(path: Path, start: bytes) -> bool:
    """Say whether a file was written by torch.save.

    start: the file's first bytes.
    """
    if start.startswith(LEGACY):
        return True
    if not start.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return any(name.endswith("/data.pkl") for name in file.namelist())
    # what zipfile raises for a directory that is damaged
    except (zipfile.BadZipFile, struct.error, OSError, RuntimeError, LookupError, ValueError, OverflowError):
        return False


def read(path: Path, architecture: Architecture) -> list[Kernel]:
    """Read the kernels; nothing is unpickled.

    Raises:
        WeightsError: not a state dict, a tensor is missing or of the wrong shape, or the network is another.
    """
    state = read_tensors(path)
    if "features.0.weight" in state:
        raise WeightsError(
            f"{path}: its tensors have torchvision's names (features.0.weight), as an ImageNet VGG-16 has "
            f"them; expected those of vgg_face_dag.pth: {architecture.layers[0].name}.weight ... "
            f"{CLASSIFIER}.bias (docs/weights.md)"
        )
    kernels = []
    for layer in architecture.layers:
        matrix = (layer.outputs, layer.inputs * layer.kernel**2)
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        parts: list[NDArray[np.float32]] = []
        for part, expected in (("weight", matrix if layer.dense else shape), ("bias", shape[:1])):
            tensor = state.get(f"{layer.name}.{part}")
            require_shape(path, f"{layer.name}.{part}", None if tensor is None else tensor.shape, expected)
            assert tensor is not None
            parts.append(tensor)
        kernels.append(Kernel(layer, parts[0].reshape(shape), parts[1]))
    last = state.get(f"{CLASSIFIER}.bias")
    require_classes(path, CLASSIFIER, None if last is None else last.shape, architecture)
    return kernels
