"""VGG-Face up to fc7: crops of faces -> 4,096 values each.

Source: O. Parkhi, A. Vedaldi, A. Zisserman, Deep face recognition, BMVC 2015,
DOI 10.5244/C.29.41. The weights are not ours to give: the user's own file is read, one safetensors
file with torchvision's tensor names (`features.0.weight` ... `classifier.3.bias`), as `emobed
weights import` makes it. The graphs, which hold none of them, are made anew in each process (`vgg_graph`); a
test holds them against torchvision's network.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture
from pipeline.features.embeddings.vgg_graph import FACES, MAPS, VECTORS, VggGraphs
from pipeline.features.embeddings.weight_file import require_tensors
from pipeline.features.networks.session import open_session


class VggFaceEmbedder:
    """fc7 of VGG-Face: 4,096 values of a face."""

    def __init__(self, path: Path, activation: str, architecture: Architecture = VGG_FACE) -> None:
        """Load the network.

        activation: post_relu (after fc7's ReLU) or pre_relu. architecture: the widths that the file has.

        Raises:
            WeightsError: as `require_tensors`.
        """
        require_tensors(path, architecture)
        graphs = VggGraphs(architecture)
        # the largest weights first: while they are loaded, they are in memory several times
        self._third = open_session(graphs.third, graphs.third_tensors(path))
        self._second = open_session(graphs.second, graphs.second_tensors(path))
        self._first = open_session(graphs.first, graphs.first_tensors(path))
        self.activation = activation
        self.size = architecture.image
        self.names = architecture.names

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return fc7 of square RGB crops, each the same whatever the others are.

        crops: (faces, 224, 224, 3); memory grows with them, by 15 MB a face. Returns (faces, 4096).
        """
        maps = [self._first.run([MAPS], {FACES: crop[None].astype(np.float32)})[0] for crop in crops]
        (vectors,) = self._second.run([VECTORS], {MAPS: np.concatenate(maps, axis=1)})
        (found,) = self._third.run([self.activation], {VECTORS: vectors})
        return np.asarray(found, np.float32)
