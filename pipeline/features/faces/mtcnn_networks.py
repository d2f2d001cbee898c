"""P-, R- and O-Net, the three small networks of MTCNN, as ONNX graphs: pictures -> faces and vectors.

Source: K. Zhang et al., Joint face detection and alignment using multitask cascaded convolutional
networks, IEEE SPL 2016, DOI 10.1109/LSP.2016.2603342, figure 2. The weights are those that
facenet-pytorch ships; their names and shapes give the layers. Inputs are (pictures, height, width, 3) RGB,
float32 of 0 to 255; offsets of a box are in shares of its sides: left, top, right, bottom.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.torch_weights import read_tensors
from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.faces.mtcnn_weights import folder
from pipeline.features.networks.session import open_session

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.onnx_graph import Graph

Array = NDArray[np.float32]

OPSET, IR = 17, 8
PICTURES, FOUND = "pictures", "found"
DENSE5, ACTIVATED = "pre_relu", "post_relu"
"""O-Net's further outputs: its last common layer before and after its PReLU, (pictures, 256)."""


class Network:
    """A network of faces; what it gives for a picture does not depend on the others given with it."""

    def __init__(self, content: bytes) -> None:
        """Load an ONNX graph."""
        self._session = open_session(content)

    def run(self, pictures: Array, output: str = FOUND) -> Array:
        """Return an output for pictures (pictures, height, width, 3) RGB, 0 to 255."""
        (found,) = self._session.run([output], {PICTURES: pictures})
        return np.asarray(found, np.float32)


@lru_cache(maxsize=3)
def network(name: str) -> Network:
    """Return `pnet`, `rnet` or `onet`.

    Raises:
        ModuleNotFoundError: facenet-pytorch, which ships the weights, is not installed.
        WeightsError: its file does not hold the network.
    """
    return Network(graph_of(name, folder() / f"{name}.pt"))


def graph_of(name: str, path: Path) -> bytes:
    """Return `pnet`, `rnet` or `onet` as an ONNX file; path: of its weights.

    Raises:
        FileNotFoundError: no such file.
        WeightsError: it does not hold the network's layers.
    """
    # imported here: a stage that finds all in the store does without
    from pipeline.onnx_graph import Graph

    graph, side = Graph(), {"rnet": 24, "onet": 48}.get(name)
    # float32 is type 1 of ONNX
    graph.input(PICTURES, 1, ["pictures", side or "height", side or "width", 3])
    scaled = graph.add("Mul", graph.add("Sub", PICTURES, graph.constant(np.float32(127.5))),
                       graph.constant(np.float32(0.0078125)))  # fmt: skip
    first = graph.add("Transpose", scaled, perm=[0, 3, 1, 2])  # (pictures, 3, height, width)
    try:
        LAYERS[name](_Layers(graph, read_tensors(path)), first)
    except (KeyError, ValueError) as error:
        raise WeightsError(f"{path}: not the weights of {name}: {error}") from None
    return graph.model({"": OPSET}, IR, {}, name)


class _Layers:
    """Adds layers with the weights of a file to a graph; each takes and gives the name of a tensor."""

    def __init__(self, graph: Graph, tensors: dict[str, Array]) -> None:
        self.graph, self.tensors = graph, tensors

    def convolved(self, number: int, x: str) -> str:
        kernel, bias = self.tensors[f"conv{number}.weight"], self.tensors[f"conv{number}.bias"]
        return self.activated(number, self.graph.add("Conv", x, *map(self.graph.constant, (kernel, bias))))

    def activated(self, number: int, x: str, dense: bool = False) -> str:
        slope = self.tensors[f"prelu{number}.weight"]
        return self.graph.add("PRelu", x, self.graph.constant(slope if dense else slope.reshape(-1, 1, 1)))

    def pooled(self, side: int, x: str) -> str:
        return self.graph.add("MaxPool", x, kernel_shape=[side, side], strides=[2, 2], ceil_mode=1)

    def flat_dense(self, name: str, x: str, shape: tuple[int, int, int]) -> str:
        """Add the layer after the maps; shape: of these, channels, rows, columns."""
        channels, rows, columns = shape
        weight, bias = self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"]
        # The published weights, made with Matlab, count columns before rows before channels
        turned = weight.reshape(len(weight), columns, rows, channels).transpose(0, 3, 2, 1)
        flat = self.graph.add("Flatten", x, axis=1)
        return self._product(flat, turned.reshape(len(weight), -1), bias)

    def joined(self, names: tuple[str, ...], x: str) -> str:
        """Add several layers that see the same as one, their outputs one after the other."""
        weights, biases = zip(*((self.tensors[f"{n}.weight"], self.tensors[f"{n}.bias"]) for n in names),
                              strict=True)  # fmt: skip
        if weights[0].ndim == 4:
            kernel, bias = map(self.graph.constant, (np.concatenate(weights), np.concatenate(biases)))
            return self.graph.add("Conv", x, kernel, bias)
        return self._product(x, np.concatenate(weights), np.concatenate(biases))

    def _product(self, x: str, weight: Array, bias: Array) -> str:
        return self.graph.add("Gemm", x, self.graph.constant(weight), self.graph.constant(bias), transB=1)


def _pnet(layers: _Layers, x: str) -> None:
    """Look for faces of 12 x 12 pixels at every second pixel of pictures of any size.

    Output: (pictures, 6, rows, columns), two logits, of no face and of a face, and the offsets of its box.
    """
    x = layers.pooled(2, layers.convolved(1, x))
    x = layers.convolved(3, layers.convolved(2, x))
    found = layers.joined(("conv4_1", "conv4_2"), x)
    layers.graph.output(FOUND, found, ["pictures", 6, "rows", "columns"])


def _rnet(layers: _Layers, x: str) -> None:
    """Look at proposals of 24 x 24 pixels again; output: (pictures, 6), logits and offsets as P-Net's."""
    x = layers.pooled(3, layers.convolved(1, x))
    x = layers.pooled(3, layers.convolved(2, x))
    x = layers.flat_dense("dense4", layers.convolved(3, x), (64, 3, 3))
    found = layers.joined(("dense5_1", "dense5_2"), layers.activated(4, x, dense=True))
    layers.graph.output(FOUND, found, ["pictures", 6])


def _onet(layers: _Layers, x: str) -> None:
    """Decide on proposals of 48 x 48 pixels.

    Outputs: (pictures, 16), logits and offsets as P-Net's, then landmarks in shares of the box, five x and
    five y; and the layer before these, `DENSE5` and `ACTIVATED`.
    """
    x = layers.pooled(3, layers.convolved(1, x))
    x = layers.pooled(3, layers.convolved(2, x))
    x = layers.pooled(2, layers.convolved(3, x))
    before = layers.flat_dense("dense5", layers.convolved(4, x), (128, 3, 3))
    after = layers.activated(5, before, dense=True)
    found = layers.joined(("dense6_1", "dense6_2", "dense6_3"), after)
    for name, source, width in ((FOUND, found, 16), (DENSE5, before, 256), (ACTIVATED, after, 256)):
        layers.graph.output(name, source, ["pictures", width])


LAYERS = {"pnet": _pnet, "rnet": _rnet, "onet": _onet}
