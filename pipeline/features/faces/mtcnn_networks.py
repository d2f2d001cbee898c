"""P-, R- and O-Net, the three small networks of MTCNN: pictures -> face probability, box, landmarks.

Source: K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional
networks, IEEE SPL 2016, DOI 10.1109/LSP.2016.2603342, figure 2. The weights are those that
facenet-pytorch ships; their names and shapes give the layers. Inputs are (pictures, 3, height,
width), RGB in [-1, 1]; offsets of a box are in shares of its sides: left, top, right, bottom.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from pipeline.features.faces.mtcnn_weights import folder

Weights = dict[str, Tensor]


@lru_cache(maxsize=3)
def load_weights(name: str, device: str) -> Weights:
    """Return the tensors of `pnet`, `rnet` or `onet`.

    device: `cpu` or `cuda`.
    """
    weights = torch.load(folder() / f"{name}.pt", map_location=device, weights_only=True)
    # some lie transposed in the file: the order of the sums, and so their last bits, would be another
    return {layer: tensor.contiguous() for layer, tensor in weights.items()}


def scaled(pictures: Tensor) -> Tensor:
    """Return values 0 to 255 as the networks expect them, about -1 to 1."""
    return (pictures - 127.5) * 0.0078125


def pnet(weights: Weights, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Propose faces of 12 x 12 pixels at every second pixel of pictures of any size.

    Returns the probability of a face, (pictures, rows, columns), and the offsets of its box,
    (pictures, 4, rows, columns).
    """
    x = _pooled(_convolved(weights, 1, pictures), 2)
    x = _convolved(weights, 3, _convolved(weights, 2, x))
    face = functional.conv2d(x, weights["conv4_1.weight"], weights["conv4_1.bias"])
    offsets = functional.conv2d(x, weights["conv4_2.weight"], weights["conv4_2.bias"])
    return functional.softmax(face, dim=1)[:, 1], offsets


def rnet(weights: Weights, crops: Tensor) -> tuple[Tensor, Tensor]:
    """Look at proposals of 24 x 24 pixels again.

    Returns the probability of a face, (crops,), and the offsets of its box, (crops, 4).
    """
    x = _pooled(_convolved(weights, 1, crops), 3)
    x = _pooled(_convolved(weights, 2, x), 3)
    x = _convolved(weights, 3, x)
    x = _activated(weights, 4, _dense(weights, "dense4", _flattened(x)))
    face = functional.softmax(_dense(weights, "dense5_1", x), dim=1)
    return face[:, 1], _dense(weights, "dense5_2", x)


def onet(weights: Weights, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Decide on proposals of 48 x 48 pixels.

    Returns the probability of a face, (crops,), the offsets of its box, (crops, 4), and the
    landmarks in shares of the box, (crops, 10): five x, then five y.
    """
    x = _activated(weights, 5, onet_dense5(weights, crops))
    face = functional.softmax(_dense(weights, "dense6_1", x), dim=1)
    return face[:, 1], _dense(weights, "dense6_2", x), _dense(weights, "dense6_3", x)


def onet_dense5(weights: Weights, crops: Tensor) -> Tensor:
    """Return O-Net's last common layer before its PReLU, (crops, 256).

    `onet_numpy` computes the same for the embedding.
    """
    x = _pooled(_convolved(weights, 1, crops), 3)
    x = _pooled(_convolved(weights, 2, x), 3)
    x = _pooled(_convolved(weights, 3, x), 2)
    return _dense(weights, "dense5", _flattened(_convolved(weights, 4, x)))


def _convolved(weights: Weights, layer: int, x: Tensor) -> Tensor:
    x = functional.conv2d(x, weights[f"conv{layer}.weight"], weights[f"conv{layer}.bias"])
    return _activated(weights, layer, x)


def _activated(weights: Weights, layer: int, x: Tensor) -> Tensor:
    return functional.prelu(x, weights[f"prelu{layer}.weight"])


def _pooled(x: Tensor, side: int) -> Tensor:
    return functional.max_pool2d(x, side, stride=2, ceil_mode=True)


def _flattened(x: Tensor) -> Tensor:
    # (crops, channels, height, width) -> (crops, width, height, channels) -> (crops, values): the order in
    # which the published weights, made with Matlab, count them
    return x.permute(0, 3, 2, 1).reshape(len(x), -1)


def _dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])
