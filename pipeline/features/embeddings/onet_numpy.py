"""Faces of 48 x 48 pixels -> O-Net's layer dense5, in NumPy.

The layers are those of `mtcnn_networks.onet_dense5`, source there. A face takes 13 million products, which
NumPy does in less time than torch; and torch's import would take longer than a recording's faces. The
detection cascade, in torch for other reasons, has O-Net a second time; a test holds them together.

A vector is the same to the last bit whatever faces are embedded with it: np.matmul of a stack (crops, rows,
values) is one product of matrices per crop, always of the same shape.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

from pipeline.features.embeddings.torch_weights import read_tensors
from pipeline.features.embeddings.vgg_architecture import WeightsError

Array = NDArray[np.float32]

KERNELS = (3, 3, 3, 2)
"""Sides of the kernels of conv1 to conv4, pixels."""
POOLED = (3, 3, 2, 1)
"""Sides of the maximum after each, two pixels apart; 1: none."""
BLOCK = 4
"""Crops computed at once: what they need, 4 MB, stays in a core's cache; 16 are slower by a quarter."""


class Layer(NamedTuple):
    """A layer's weights.

    matrix: (values in, values out). bias, slope: of its PReLU, both (values out,).
    """

    matrix: Array
    bias: Array
    slope: Array


class Onet:
    """O-Net up to dense5."""

    def __init__(self, path: Path) -> None:
        """Read the weights of `onet.pt`.

        Raises:
            FileNotFoundError: no such file.
            WeightsError: it does not hold O-Net's layers.
        """
        tensors = read_tensors(path)
        try:
            kernels = [tensors[f"conv{n}.weight"] for n in range(1, 5)]
            # (out, in, rows, columns) -> (rows, columns, in, out) -> (values in, out), as `_windows` counts
            matrices = [kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel)) for kernel in kernels]
            # The published weights, made with Matlab, count width before height before channels:
            # (256, columns, rows, channels) -> (rows, columns, channels, 256) -> (values in, 256)
            dense = tensors["dense5.weight"].reshape(256, 3, 3, 128)
            matrices.append(dense.transpose(2, 1, 3, 0).reshape(-1, 256))
            names = ("conv1", "conv2", "conv3", "conv4", "dense5")
            self.layers = tuple(
                Layer(np.ascontiguousarray(matrix), tensors[f"{name}.bias"], tensors[f"prelu{n}.weight"])
                for n, (name, matrix) in enumerate(zip(names, matrices, strict=True), 1)
            )
        except (KeyError, ValueError) as error:
            raise WeightsError(f"{path}: not O-Net's weights: {error}") from None
        if max(layer.slope.max() for layer in self.layers) > 1:
            raise WeightsError(f"{path}: a slope of a PReLU is above 1, expected at most 1 (`_activated`)")
        self.blas = ThreadpoolController().select(user_api="blas")

    def dense5(self, crops: NDArray[np.uint8]) -> Array:
        """Return dense5 before its PReLU.

        crops: (crops, 48, 48, 3) RGB, any number. Returns (crops, 256).
        """
        found = np.empty((len(crops), 256), np.float32)
        # products this small are slower on two threads; and on one their sums have one order
        with self.blas.limit(limits=1):
            for first in range(0, len(crops), BLOCK):
                block = slice(first, first + BLOCK)
                found[block] = self._block(crops[block])
        return found

    def activated(self, dense5: Array) -> Array:
        """Return dense5 after its PReLU, (crops, 256), from what `dense5` returns."""
        return _activated(self.layers[4], dense5)

    def _block(self, crops: NDArray[np.uint8]) -> Array:
        x: Array = (crops.astype(np.float32) - np.float32(127.5)) * np.float32(0.0078125)
        for layer, kernel, side in zip(self.layers, KERNELS, POOLED, strict=False):
            x = _activated(layer, _convolved(layer, x, kernel))
            if side > 1:
                x = _pooled(_pooled(x, side, axis=1), side, axis=2)
        dense5 = self.layers[4]
        # (crops, 3, 3, 128) -> (crops, 1, 1152): one product per crop, see the module's words
        vectors: Array = np.matmul(x.reshape(len(x), 1, -1), dense5.matrix)
        return vectors[:, 0] + dense5.bias


def _activated(layer: Layer, x: Array) -> Array:
    """Apply a layer's PReLU, x where x > 0, else slope * x: the larger of both, as no slope is above 1."""
    sloped = x * layer.slope
    return np.maximum(x, sloped, out=sloped)


def _convolved(layer: Layer, x: Array, kernel: int) -> Array:
    """Convolve (crops, rows, columns, channels) without padding."""
    crops, rows, columns, _ = x.shape
    found = _windows(x, kernel) @ layer.matrix
    found += layer.bias
    return found.reshape(crops, rows - kernel + 1, columns - kernel + 1, -1)


def _windows(x: Array, kernel: int) -> Array:
    """Write out what the kernel sees at each place: (crops, places, kernel x kernel x channels)."""
    crops, _, _, channels = x.shape
    windows = sliding_window_view(x, (kernel, kernel), axis=(1, 2))
    # (crops, rows, columns, channels, kernel, kernel) -> channels last, where they lie side by side
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(crops, -1, kernel * kernel * channels)


def _pooled(x: Array, side: int, axis: int) -> Array:
    """Return the maximum of 2 or 3 values, two apart, along an axis.

    The last maximum of three may see two only (torch's ceil_mode), of two it never sees one: O-Net's sizes.
    """
    x = x.swapaxes(0, axis)
    count = -(-(len(x) - side) // 2) + 1
    found = np.maximum(x[: 2 * count : 2], x[1 : 2 * count : 2])
    if side == 3:
        third = x[2 : 2 * count + 1 : 2]
        np.maximum(found[: len(third)], third, out=found[: len(third)])
    return found.swapaxes(0, axis)
