"""Kernels as a file holds them -> torchvision's tensors: RGB input, flatten order C, H, W."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import Layer


@dataclass(frozen=True)
class Kernel:
    """One layer's weights in the common convention.

    weight: (outputs, inputs, height, width), a view of the file's array where possible; fc6 is
    a kernel as large as its input. bias: (outputs,).
    """

    layer: Layer
    weight: NDArray[np.floating]
    bias: NDArray[np.floating]


def to_torchvision(kernels: Iterable[Kernel], bgr: bool) -> dict[str, NDArray[np.float32]]:
    """Return the tensors by torchvision's names.

    bgr: whether the file's first convolution reads blue, green, red; it is turned to red, green, blue.
    """
    tensors: dict[str, NDArray[np.float32]] = {}
    for number, kernel in enumerate(kernels):
        weight = kernel.weight[:, ::-1] if bgr and number == 0 else kernel.weight
        if kernel.layer.dense:
            # (outputs, inputs, height, width) -> (outputs, inputs x height x width): C, H, W
            weight = np.ascontiguousarray(weight, np.float32).reshape(kernel.layer.outputs, -1)
        tensors[f"{kernel.layer.torchvision}.weight"] = np.ascontiguousarray(weight, np.float32)
        tensors[f"{kernel.layer.torchvision}.bias"] = np.ascontiguousarray(kernel.bias, np.float32)
    return tensors
