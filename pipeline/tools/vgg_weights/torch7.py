"""`VGG_FACE.t7`: nn.Sequential of 13 convolutions and three linear layers -> kernels, BGR.

The example that Oxford ships with the file turns the image to blue, green, red before the network
reads it. Kernels are (outputs, inputs, height, width), or (outputs, inputs x height x width) where
the layer was an nn.SpatialConvolutionMM; the flatten order is C, H, W.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.features.embeddings.vgg_architecture import (
    CLASSIFIER,
    Architecture,
    WeightsError,
    require_classes,
    require_shape,
)
from pipeline.tools.vgg_weights.kernels import Kernel
from pipeline.tools.vgg_weights.torch7_objects import Torch7Error, Torch7Object, read_object


def recognises(path: Path, start: bytes) -> bool:
    """Say whether a file holds a Torch7 object in binary form.

    start: the file's first bytes.
    """
    # int32 4 (an object), int32 its number, int32 length of the version, then `V <number>`
    return start[:4] == b"\x04\0\0\0" and start[12:14] == b"V "


def read(path: Path, architecture: Architecture) -> list[Kernel]:
    """Read the kernels.

    Raises:
        WeightsError: not a Torch7 file, a layer is missing or of the wrong shape, or the network is another.
    """
    try:
        root = read_object(path)
    except Torch7Error as error:
        raise WeightsError(f"{path}: cannot be read as a Torch7 file ({error})") from None
    found: list[tuple[str, Any, Any]] = list(_weighted(root, set()))
    absent: tuple[str, Any, Any] = ("module", None, None)
    kernels = []
    for place, layer in enumerate(architecture.layers):
        module, weight, bias = found[place] if place < len(found) else absent
        label = f"{module} ({layer.name})"
        matrix = (layer.outputs, layer.inputs * layer.kernel**2)
        shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
        flat = layer.dense or getattr(weight, "ndim", 4) == 2
        require_shape(path, f"{label} weight", getattr(weight, "shape", None), matrix if flat else shape)
        require_shape(path, f"{label} bias", getattr(bias, "shape", None), shape[:1])
        kernels.append(Kernel(layer, weight.reshape(shape), bias))
    module, _, bias = found[len(kernels)] if len(found) > len(kernels) else absent
    require_classes(path, f"{module} ({CLASSIFIER})", getattr(bias, "shape", None), architecture)
    return kernels


def _weighted(node: Any, seen: set[int], name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give name, weight and bias of each module with weights, in the order of the containers.

    seen: which modules were met: one that holds itself, or is held many times, is given once.
    """
    if not isinstance(node, Torch7Object) or not isinstance(node.fields, dict) or id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node.fields.get("weight"), np.ndarray):
        yield f"{name} {node.kind}".strip(), node.fields["weight"], node.fields.get("bias")
    modules = node.fields.get("modules")
    if isinstance(modules, dict):
        for number in sorted(key for key in modules if isinstance(key, (int, float))):
            yield from _weighted(modules[number], seen, f"{name}.{number:g}".lstrip("."))
