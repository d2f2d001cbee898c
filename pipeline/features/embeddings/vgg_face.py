"""VGG-Face up to fc7 as an ONNX graph: crops of faces -> 4,096 values each.

Source: O. Parkhi, A. Vedaldi, A. Zisserman, Deep face recognition, BMVC 2015,
DOI 10.5244/C.29.41. The weights are not ours to give: the user's own file is read, one safetensors
file with torchvision's tensor names (`features.0.weight` ... `classifier.3.bias`), as `emobed
weights import` makes it. The graph, which holds none of them, is made anew in each process; a test holds it
against torchvision's network.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture
from pipeline.features.embeddings.weight_file import require_tensors
from pipeline.features.networks.session import open_session
from pipeline.onnx_graph import Graph

MEAN_RGB = (129.1863, 104.7624, 93.5940)
FACES = "faces"
OPSET, IR = 17, 8


class VggFaceEmbedder:
    """fc7 of VGG-Face: 4,096 values of a face."""

    def __init__(self, path: Path, activation: str, architecture: Architecture = VGG_FACE) -> None:
        """Load the network.

        activation: post_relu (after fc7's ReLU) or pre_relu. architecture: the widths that the file has.

        Raises:
            WeightsError: as `require_tensors`.
        """
        require_tensors(path, architecture)
        self._session = open_session(graph_of(architecture), _tensors(path, architecture))
        self.activation = activation
        self.size = architecture.image
        self.names = architecture.names

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return fc7 of square RGB crops, each the same whatever the others are.

        crops: (faces, 224, 224, 3); memory grows with them, by 40 MB a face. Returns (faces, 4096).
        """
        (found,) = self._session.run([self.activation], {FACES: crops.astype(np.float32)})
        return np.asarray(found, np.float32)


def graph_of(architecture: Architecture) -> bytes:
    """Return the network as an ONNX file whose weights are given when it is loaded.

    Its input are faces, (faces, side, side, 3) RGB, float32 of 0 to 255; its outputs fc7, `pre_relu` and
    `post_relu`, (faces, values).
    """
    graph, shapes = Graph(), architecture.shapes
    # float32 is type 1 of ONNX
    graph.input(FACES, 1, ["faces", architecture.image, architecture.image, 3])
    centred = graph.add("Sub", FACES, graph.constant(np.array(MEAN_RGB, np.float32)))
    x = graph.add("Transpose", centred, perm=[0, 3, 1, 2])  # (faces, 3, side, side)
    before, place = x, ""
    for layer in architecture.layers:
        weight, bias = (
            graph.given(name, shapes[name])
            for name in (f"{layer.torchvision}.weight", f"{layer.torchvision}.bias")
        )
        block = layer.name.partition("_")[0]
        if place.startswith("conv") and block != place:
            x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            x = graph.add("Flatten", x, axis=1) if layer.dense else x  # in the order channels, rows, columns
        place = block
        if layer.dense:
            before = graph.add("Gemm", x, weight, bias, transB=1)
        else:
            before = graph.add("Conv", x, weight, bias, pads=[1, 1, 1, 1])
        x = graph.add("Relu", before)
    graph.output("pre_relu", before, ["faces", architecture.dense])
    graph.output("post_relu", x, ["faces", architecture.dense])
    return graph.model({"": OPSET}, IR, {}, "vgg_face")


def _tensors(path: Path, architecture: Architecture) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Give the tensors of a file one by one, so that memory holds them once."""
    with safe_open(path, framework="np") as file:
        for name in architecture.shapes:
            yield name, np.asarray(file.get_tensor(name), np.float32)
