"""`vgg_face_dag.pth`: a PyTorch state dict with the paper's layer names, RGB, flatten order C, H, W."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.features.vgg_weights.architecture import Architecture, WeightsError, require_shape
from pipeline.features.vgg_weights.kernels import Kernel

LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
"""Start of what torch.save wrote before its zip format (torch/serialization.py, MAGIC_NUMBER)."""


def recognises(path: Path, start: bytes) -> bool:
    """Say whether a file was written by torch.save.

    start: the file's first bytes.
    """
    if start.startswith(LEGACY):
        return True
    if not start.startswith(b"PK") or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as file:
        return any(name.endswith("/data.pkl") for name in file.namelist())


def read(path: Path, architecture: Architecture) -> list[Kernel]:
    """Read the kernels; nothing but tensors is unpickled.

    Raises:
        WeightsError: not a state dict, a tensor is missing or of the wrong shape.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError) as error:
        reason = (str(error) or "it breaks off").splitlines()[0]
        raise WeightsError(f"{path}: cannot be read as a PyTorch state dict ({reason})") from None
    if not isinstance(state, dict):
        raise WeightsError(f"{path}: holds a {type(state).__name__}, expected a state dict of tensors")
    kernels = []
    for layer in architecture.layers:
        matrix = (layer.outputs, layer.inputs * layer.kernel**2)
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        parts: list[NDArray[np.floating]] = []
        for part, expected in (("weight", matrix if layer.dense else shape), ("bias", shape[:1])):
            tensor: Any = state.get(f"{layer.name}.{part}")
            found = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else None
            require_shape(path, f"{layer.name}.{part}", found, expected)
            parts.append(tensor.float().numpy())
        kernels.append(Kernel(layer, parts[0].reshape(shape), parts[1]))
    return kernels
