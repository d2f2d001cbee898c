"""VGG-Face up to fc7 as three ONNX graphs, and the tensors that they are given when they are loaded.

The first block's convolutions, of 3 and 64 channels, stay convolutions; all later ones are written as
`winograd` has them, with a quarter of the products. The first graph sees one face at a time, so that its
large maps stay in the processor's cache; the others see many, as their many weights come from memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from pipeline.features.embeddings import winograd
from pipeline.features.embeddings.vgg_architecture import CHANNELS, Architecture, Layer
from pipeline.features.embeddings.winograd import Convolution, Maps
from pipeline.onnx_graph import Graph

MEAN_RGB = (129.1863, 104.7624, 93.5940)
FACES, MAPS, VECTORS = "faces", "maps", "vectors"
OPSET, IR = 17, 8
STRIPS = {2: 7}
"""Strips into which a block's maps are cut; of others one, as their weights would be read for each."""

Tensors = Iterator[tuple[str, NDArray[np.float32]]]


class VggGraphs:
    """The network as three ONNX files.

    first: one face, `FACES`, (1, side, side, 3) RGB, float32 of 0 to 255, to `MAPS`, (rows, 1, channels).
    second: those of several, (rows, faces, channels), to `VECTORS`, (faces, values). third: these to fc7,
    `pre_relu` and `post_relu`, (faces, values).
    """

    def __init__(self, architecture: Architecture) -> None:
        """Write them."""
        self._blocks = [
            [layer for layer in architecture.layers if layer.name.startswith(f"conv{block + 1}_")]
            for block in range(len(architecture.blocks))
        ]
        self._dense = [layer for layer in architecture.layers if layer.dense]
        self._shapes = architecture.shapes
        self.first, maps = self._write_first(architecture.image)
        self.second, values = self._write_second(maps)
        self.third = self._write_third(values)

    def first_tensors(self, path: Path) -> Tensors:
        """Give the first graph's tensors one by one, so that memory holds them once; path: of the weights."""
        yield from _as_they_are(path, self._blocks[0])
        yield from _turned(path, self._blocks[1:3])

    def second_tensors(self, path: Path) -> Tensors:
        """Give the second graph's tensors, as `first_tensors`."""
        return _turned(path, self._blocks[3:])

    def third_tensors(self, path: Path) -> Tensors:
        """Give the third graph's tensors, as `first_tensors`."""
        return _as_they_are(path, self._dense)

    def _write_first(self, side: int) -> tuple[bytes, Maps]:
        graph = Graph()
        # float32 is type 1 of ONNX
        graph.input(FACES, 1, [1, side, side, CHANNELS])
        centred = graph.add("Sub", FACES, graph.constant(np.array(MEAN_RGB, np.float32)))
        x = graph.add("Transpose", centred, perm=[0, 3, 1, 2])  # (1, 3, side, side)
        for layer in self._blocks[0]:
            x = graph.add("Relu", graph.add("Conv", x, *self._given(graph, layer), pads=[1, 1, 1, 1]))
        x = graph.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
        maps = winograd.as_rows(graph, x, side // 2, self._blocks[0][-1].outputs)
        for number in (2, 3):
            maps = self._convolved(graph, maps, number)
        graph.output(MAPS, maps.name, ["rows", 1, self._blocks[2][-1].outputs])
        return graph.model({"": OPSET}, IR, {}, "vgg_face_1"), maps

    def _write_second(self, maps: Maps) -> tuple[bytes, int]:
        """Return the graph, and how many values it gives."""
        graph, channels = Graph(), self._blocks[2][-1].outputs
        maps = maps._replace(name=graph.input(MAPS, 1, ["rows", "faces", channels]))
        for number in (4, 5):
            maps = self._convolved(graph, maps, number)
        values = maps.rows.size * self._blocks[-1][-1].outputs
        graph.output(VECTORS, winograd.as_vectors(graph, maps), ["faces", values])
        return graph.model({"": OPSET}, IR, {}, "vgg_face_2"), values

    def _write_third(self, values: int) -> bytes:
        graph = Graph()
        before = after = graph.input(VECTORS, 1, ["faces", values])
        for layer in self._dense:
            before = graph.add("Gemm", after, *self._given(graph, layer), transB=1)
            after = graph.add("Relu", before)
        graph.output("pre_relu", before, ["faces", self._dense[-1].outputs])
        graph.output("post_relu", after, ["faces", self._dense[-1].outputs])
        return graph.model({"": OPSET}, IR, {}, "vgg_face_3")

    def _given(self, graph: Graph, layer: Layer) -> list[str]:
        return [graph.given(name, self._shapes[name]) for name in _names(layer)]

    def _convolved(self, graph: Graph, maps: Maps, number: int) -> Maps:
        """Add a block, counted from 1, to a graph; its last layer halves the maps' sides."""
        layers = self._blocks[number - 1]
        for layer in layers:
            (weight, bias), halved = _names(layer), layer is layers[-1]
            graph.given(weight, (winograd.SUMS, layer.inputs, layer.outputs))
            graph.given(bias, winograd.bias_shape(layer.outputs, halved))
            own = Convolution(weight, bias, layer.inputs, layer.outputs, halved, STRIPS.get(number, 1))
            maps = winograd.convolved(graph, maps, own)
        return maps


def _as_they_are(path: Path, layers: Iterable[Layer]) -> Tensors:
    with safe_open(path, framework="np") as file:
        for layer in layers:
            for name in _names(layer):
                yield name, np.asarray(file.get_tensor(name), np.float32)


def _turned(path: Path, blocks: Iterable[list[Layer]]) -> Tensors:
    """Give the tensors of blocks as `winograd` has them."""
    for layers in blocks:
        last = _names(layers[-1])[1]
        for name, tensor in _as_they_are(path, layers):
            kernel = tensor.ndim > 1
            yield name, winograd.kernels(tensor) if kernel else winograd.bias_rows(tensor, name == last)


def _names(layer: Layer) -> tuple[str, str]:
    return f"{layer.torchvision}.weight", f"{layer.torchvision}.bias"
