"""Keras weight files -> kernels: rcmalli's (dense fc6, fc7) and deepface's (convolutions), both BGR.

Keras holds convolution kernels as (height, width, inputs, outputs) and matrices as (inputs,
outputs); what rcmalli's fc6 reads was flattened in the order H, W, C. deepface's layers have no
names worth reading, so in both files layers are taken in the order of `layer_names`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from pipeline.features.vgg_weights.architecture import Architecture, Layer, WeightsError, require_shape
from pipeline.features.vgg_weights.kernels import Kernel

MAGIC = b"\x89HDF\r\n\x1a\n"


@dataclass(frozen=True)
class Entry:
    """A weighted layer of the file: its name and the shapes of kernel and bias."""

    name: str
    kernel: Any  # h5py.Dataset: read when its shape is known to be right
    bias: Any


def recognises_dense(path: Path, start: bytes) -> bool:
    """Say whether a file is HDF5 whose fc6 is not a convolution (rcmalli's).

    start: the file's first bytes.
    """
    return start.startswith(MAGIC) and not _convolutional(path)


def recognises_convolutional(path: Path, start: bytes) -> bool:
    """Say whether a file is HDF5 whose fc6 is a convolution (deepface's).

    start: the file's first bytes.
    """
    return start.startswith(MAGIC) and _convolutional(path)


def read(path: Path, architecture: Architecture) -> list[Kernel]:
    """Read the kernels.

    Raises:
        WeightsError: not a Keras file, a layer is missing or of the wrong shape.
    """
    kernels = []
    with h5py.File(path, "r") as file:
        entries = _entries(path, file)
        for place, layer in enumerate(architecture.layers):
            entry = entries[place] if place < len(entries) else Entry(layer.name, None, None)
            label = entry.name if entry.name == layer.name else f"{entry.name} ({layer.name})"
            stored = _stored_shape(layer, entry)
            require_shape(path, f"{label} kernel", _shape(entry.kernel), stored)
            require_shape(path, f"{label} bias", _shape(entry.bias), (layer.outputs,))
            # rows of a matrix in the order H, W, C are the kernel's first three axes
            stacked = np.asarray(entry.kernel).reshape(
                layer.kernel, layer.kernel, layer.inputs, layer.outputs
            )
            kernels.append(Kernel(layer, stacked.transpose(3, 2, 0, 1), np.asarray(entry.bias)))
    return kernels


def _stored_shape(layer: Layer, entry: Entry) -> tuple[int, ...]:
    """Return the shape that a kernel should have: a matrix only where the file has one."""
    if layer.dense and (entry.kernel is None or len(entry.kernel.shape) == 2):
        return (layer.inputs * layer.kernel**2, layer.outputs)
    return (layer.kernel, layer.kernel, layer.inputs, layer.outputs)


def _shape(dataset: Any) -> tuple[int, ...] | None:
    return None if dataset is None else tuple(dataset.shape)


def _convolutional(path: Path) -> bool:
    """Say whether the layer after the last 3 x 3 convolution is a convolution too."""
    with h5py.File(path, "r") as file:
        shapes = [_shape(entry.kernel) or () for entry in _entries(path, file)]
    return not any(len(shape) == 2 for shape in shapes) and any(
        len(shape) == 4 and shape[0] != 3 for shape in shapes
    )


def _entries(path: Path, file: h5py.File) -> list[Entry]:
    """Return the layers that have weights, in the network's order.

    Raises:
        WeightsError: the file has no `layer_names`, so it is not a Keras weight file.
    """
    root = file.get("model_weights", file)  # a whole model, or weights only
    if "layer_names" not in root.attrs:
        raise WeightsError(f"{path}: HDF5 without the attribute layer_names, expected weights saved by Keras")
    entries = []
    for name in map(_text, root.attrs["layer_names"]):
        try:
            tensors = [root[name][_text(tensor)] for tensor in root[name].attrs.get("weight_names", ())]
        except KeyError as error:
            raise WeightsError(f"{path}: layer {name} is listed and not there ({error})") from None
        if tensors:
            kernel = next((tensor for tensor in tensors if tensor.ndim > 1), None)
            bias = next((tensor for tensor in tensors if tensor.ndim == 1), None)
            entries.append(Entry(name, kernel, bias))
    return entries


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)
