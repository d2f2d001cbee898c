"""Keras weight files -> kernels: rcmalli's (dense fc6, fc7) and deepface's (convolutions), both BGR.

Keras holds convolution kernels as (height, width, inputs, outputs) and matrices as (inputs,
outputs); what rcmalli's fc6 reads was flattened in the order H, W, C. rcmalli's layers have the paper's
names; deepface's are numbered, so in both files layers are taken in the order of `layer_names`, or in that of
their names and numbers where `layer_names` cannot be read safely (hdf5.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.embeddings.vgg_architecture import (
    CLASSIFIER,
    Architecture,
    Layer,
    WeightsError,
    require_classes,
    require_shape,
)
from pipeline.tools.vgg_weights.hdf5 import arrays, dataset, member, members, names, opened
from pipeline.tools.vgg_weights.kernels import Kernel

MAGIC = b"\x89HDF\r\n\x1a\n"
IMAGENET = re.compile(r"block\d+_conv\d+|predictions")
"""Layers of Keras' own VGG-16, which was trained on ImageNet."""


@dataclass(frozen=True)
class Entry:
    """A weighted layer of the file: its name, kernel and bias."""

    name: str
    kernel: Any  # h5py.Dataset: read when its shape is known to be right
    bias: Any


def recognises_dense(path: Path, start: bytes) -> bool:
    """Say whether a file is HDF5 whose fc6 is not a convolution (rcmalli's).

    start: the file's first bytes.

    Raises:
        WeightsError: it is HDF5, and breaks off or was not written by Keras.
    """
    return start.startswith(MAGIC) and not _convolutional(path)


def recognises_convolutional(path: Path, start: bytes) -> bool:
    """Say whether a file is HDF5 whose fc6 is a convolution (deepface's).

    start: the file's first bytes.

    Raises:
        WeightsError: it is HDF5, and breaks off or was not written by Keras.
    """
    return start.startswith(MAGIC) and _convolutional(path)


def read(path: Path, architecture: Architecture) -> list[Kernel]:
    """Read the kernels.

    Raises:
        WeightsError: not a Keras file, a layer is missing or of the wrong shape, or the network is another.
    """
    kernels = []
    with _entries(path) as entries:
        _require_names(path, entries, architecture)
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
        last = entries[len(kernels)] if len(entries) > len(kernels) else Entry(CLASSIFIER, None, None)
        label = last.name if last.name == CLASSIFIER else f"{last.name} ({CLASSIFIER})"
        require_classes(path, label, _shape(last.bias), architecture)
    return kernels


def _require_names(path: Path, entries: Sequence[Entry], architecture: Architecture) -> None:
    """Refuse a network whose layers have other names than rcmalli's, or Keras' own as a whole.

    Raises:
        WeightsError: naming the layer, and what it should be called.
    """
    dense = any(len(_shape(entry.kernel) or ()) == 2 for entry in entries)
    expected = [*(layer.name for layer in architecture.layers), CLASSIFIER]
    for entry, name in zip(entries, expected, strict=False):
        if IMAGENET.fullmatch(entry.name) or (dense and entry.name != name):
            raise WeightsError(
                f"{path}: its layer {entry.name} should be {name}; block1_conv1 ... predictions are Keras' "
                "own VGG-16, trained on ImageNet, which knows no faces (docs/weights.md)"
            )


def _stored_shape(layer: Layer, entry: Entry) -> tuple[int, ...]:
    """Return the shape that a kernel should have: a matrix only where the file has one."""
    if layer.dense and (entry.kernel is None or len(entry.kernel.shape) == 2):
        return (layer.inputs * layer.kernel**2, layer.outputs)
    return (layer.kernel, layer.kernel, layer.inputs, layer.outputs)


def _shape(found: Any) -> tuple[int, ...] | None:
    return None if found is None else tuple(found.shape)


def _convolutional(path: Path) -> bool:
    """Say whether the layer after the last 3 x 3 convolution is a convolution too."""
    with _entries(path) as entries:
        shapes = [_shape(entry.kernel) or () for entry in entries]
    return not any(len(shape) == 2 for shape in shapes) and any(
        len(shape) == 4 and shape[0] != 3 for shape in shapes
    )


@contextmanager
def _entries(path: Path) -> Iterator[list[Entry]]:
    """Open a file and give the layers that have weights, in the network's order.

    Raises:
        WeightsError: the file has no `layer_names`, so it is not a Keras weight file; it breaks off.
    """
    with opened(path) as file:
        whole = file.get("model_weights", getlink=True) is not None  # a whole model, or weights only
        root = member(file, "model_weights") if whole else file
        if "layer_names" not in root.attrs:
            raise WeightsError(
                f"{path}: HDF5 without the attribute layer_names, expected weights saved by Keras"
            )
        entries = []
        listed = names(root, "layer_names")
        for name in members(root) if listed is None else listed:
            layer = member(root, name)
            inside = names(layer, "weight_names")
            tensors = [dataset(layer, tensor) for tensor in (arrays(layer) if inside is None else inside)]
            if tensors:
                kernel = next((tensor for tensor in tensors if tensor.ndim > 1), None)
                bias = next((tensor for tensor in tensors if tensor.ndim == 1), None)
                entries.append(Entry(name, kernel, bias))
        yield entries
