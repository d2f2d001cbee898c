"""VGG-Face: torchvision's VGG-16 with 2,622 outputs, cut after fc7; and its preprocessing.

Source: O. Parkhi, A. Vedaldi, A. Zisserman, Deep face recognition, BMVC 2015,
DOI 10.5244/C.29.41. The weights are not ours to give: the user's own file is read, one safetensors
file with torchvision's tensor names (`features.0.weight` ... `classifier.3.bias`).
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torchvision.models import VGG, vgg16

SIZE = 224
FC7 = 4096
MEAN_RGB = (129.1863, 104.7624, 93.5940)
BATCH = 16


class WeightsError(ValueError):
    """Report a weight file: which file, which tensor, what was expected, what to run."""


def network(path: Path) -> VGG:
    """Return VGG-16 up to fc7 with the weights of a safetensors file.

    Raises:
        WeightsError: no such file, not safetensors, a tensor is missing or of the wrong shape.
    """
    if not path.is_file():
        raise WeightsError(
            f"{path}: no such weight file; video.embedding.weights in params.yaml names a safetensors "
            "file of VGG-Face (docs/weights.md), or set video.embedding.network to mtcnn_onet"
        )
    try:
        state = load_file(str(path))
    except SafetensorError as error:
        raise WeightsError(f"{path}: not a safetensors file ({error}); see docs/weights.md") from None
    with torch.device("meta"):
        net = vgg16(weights=None, num_classes=2622)
    net.classifier = net.classifier[:5]  # fc6, ReLU, dropout, fc7, ReLU
    for name, expected in net.state_dict().items():
        if name not in state:
            raise WeightsError(f"{path}: tensor {name} is missing, expected shape {tuple(expected.shape)}")
        if state[name].shape != expected.shape:
            raise WeightsError(
                f"{path}: tensor {name} has shape {tuple(state[name].shape)}, "
                f"expected {tuple(expected.shape)}"
            )
    net.load_state_dict({name: state[name].float() for name in net.state_dict()}, assign=True)
    return net.eval()


@lru_cache(maxsize=4)
def weights_sha256(path: Path) -> str:
    """Return the hash of a weight file.

    Raises:
        WeightsError: no such file.
    """
    if not path.is_file():
        network(path)  # says what to do
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class VggFaceEmbedder:
    """fc7 of VGG-Face: 4,096 values of a face."""

    size = SIZE
    names = tuple(f"fc7_{i:04d}" for i in range(FC7))

    def __init__(self, path: Path, activation: str, device: str) -> None:
        """Load the network.

        activation: post_relu (after fc7's ReLU) or pre_relu. device: `cpu` or `cuda`.

        Raises:
            WeightsError: as `network`.
        """
        self.net = network(path).to(device)
        self.activation = activation
        self.device = device

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return fc7 of square RGB crops.

        crops: (faces, 224, 224, 3). Returns (faces, 4096).
        """
        return np.concatenate([self._embed(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)])

    def _embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(crops).to(self.device).permute(0, 3, 1, 2).float()
            x = x - torch.tensor(MEAN_RGB, device=self.device).view(1, 3, 1, 1)
            # features give (faces, 512, 7, 7), flattened in the order C, H, W
            x = self.net.features(x).flatten(1)
            fc6, relu6, _, fc7, relu7 = self.net.classifier
            x = fc7(relu6(fc6(x)))
            if self.activation == "post_relu":
                x = relu7(x)
        return x.cpu().numpy()
