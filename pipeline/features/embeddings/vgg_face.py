"""VGG-Face: VGG-16 up to fc7, and its preprocessing.

Source: O. Parkhi, A. Vedaldi, A. Zisserman, Deep face recognition, BMVC 2015,
DOI 10.5244/C.29.41. The weights are not ours to give: the user's own file is read, one safetensors
file with torchvision's tensor names (`features.0.weight` ... `classifier.3.bias`), as `emobed
weights import` makes it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import nn

from pipeline.features.embeddings.vgg_architecture import CHANNELS, VGG_FACE, Architecture
from pipeline.features.embeddings.weight_file import require_tensors

MEAN_RGB = (129.1863, 104.7624, 93.5940)
BATCH = 16


class Vgg(nn.Module):
    """VGG-16 up to fc7, with torchvision's tensor names."""

    def __init__(self, architecture: Architecture) -> None:
        """Build the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        inputs = CHANNELS
        for widths in architecture.blocks:
            for width in widths:
                layers += [nn.Conv2d(inputs, width, kernel_size=3, padding=1), nn.ReLU(inplace=True)]
                inputs = width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        inputs = architecture.blocks[-1][-1] * architecture.side**2
        self.classifier = nn.Sequential(
            nn.Linear(inputs, architecture.dense),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(architecture.dense, architecture.dense),
            nn.ReLU(),
        )


def network(path: Path, architecture: Architecture = VGG_FACE) -> Vgg:
    """Return VGG-16 up to fc7 with the weights of a safetensors file.

    Raises:
        WeightsError: as `require_tensors`.
    """
    require_tensors(path, architecture)
    state = load_file(str(path))
    with torch.device("meta"):
        net = Vgg(architecture)
    net.load_state_dict({name: state[name].float() for name in net.state_dict()}, assign=True)
    return net.eval()


class VggFaceEmbedder:
    """fc7 of VGG-Face: 4,096 values of a face."""

    def __init__(
        self, path: Path, activation: str, device: str, architecture: Architecture = VGG_FACE
    ) -> None:
        """Load the network.

        activation: post_relu (after fc7's ReLU) or pre_relu. device: `cpu` or `cuda`.

        Raises:
            WeightsError: as `network`.
        """
        self.net = network(path, architecture).to(device)
        self.size = architecture.image
        self.names = tuple(f"fc7_{i:04d}" for i in range(architecture.dense))
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
