"""VGG-Face: torchvision's VGG-16 up to fc7, with VGG-Face's weights and preprocessing.

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
from torchvision.models import VGG, vgg16

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture
from pipeline.features.embeddings.weight_file import require_tensors

MEAN_RGB = (129.1863, 104.7624, 93.5940)
BATCH = 16


def network(path: Path, architecture: Architecture = VGG_FACE) -> VGG:
    """Return VGG-16 up to fc7 and its ReLU with the weights of a safetensors file.

    architecture: the widths that the file must have.

    Raises:
        WeightsError: as `require_tensors`.
    """
    require_tensors(path, architecture)
    with torch.device("meta"):
        net = vgg16(init_weights=False)
    # at an image of 224 pixels the pooling averages over 1 x 1; a narrower image would be enlarged by it
    net.avgpool = nn.Identity()
    net.classifier = net.classifier[:5]
    tensors = load_file(str(path))
    for name in architecture.shapes:
        layer, _, kind = name.rpartition(".")
        weights = nn.Parameter(tensors[name].float(), requires_grad=False)
        setattr(net.get_submodule(layer), kind, weights)
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
        if activation == "pre_relu":
            self.net.classifier = self.net.classifier[:-1]
        self.size = architecture.image
        self.names = tuple(f"fc7_{i:04d}" for i in range(architecture.dense))
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
            return np.asarray(self.net(x).cpu())
