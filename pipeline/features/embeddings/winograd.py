"""Convolutions of 3 x 3 with a quarter of the products, in ONNX's operators: Winograd's F(4 x 4, 3 x 3).

A picture is cut into tiles of 4 x 4 places. What a tile's convolution sees, 6 x 6 places, is turned into as
many sums, each is multiplied with the kernel's like sums over all channels, and the products are added up to
the tile: 36 products instead of 144 for a pair of channels. In exact arithmetic that is the convolution; in
float32, kernels being turned in float64, its rounding is of the size of a convolution's own (tests hold both
against float64). Source: A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016,
DOI 10.1109/CVPR.2016.435, section 4; matrices for the points 0, 1, -1, 2, -2.

Maps are kept as rows, one for each place of the picture: (rows, faces, channels). Which place a row is of,
only the numbers say that `Gather` is given; so what lies outside of a picture, a side that is no multiple of
4, and the order of places cost nothing, and the products are of matrices as large as they can be.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.onnx_graph import Graph

Array = NDArray[np.float32]

TILE, SEEN = 4, 6
"""Places of a tile's side, and of the square that its convolution sees."""
SUMS = SEEN * SEEN
_PLACES = np.array(
    [[4, 0, -5, 0, 1, 0], [0, -4, -4, 1, 1, 0], [0, 4, -4, -1, 1, 0],
     [0, -2, -1, 2, 1, 0], [0, 2, -1, -2, 1, 0], [0, 4, 0, -5, 0, 1]], np.float64
)  # fmt: skip
_KERNEL = np.array([[6, 0, 0], [-4, -4, -4], [-4, 4, -4], [1, 2, 4], [1, -2, 4], [0, 0, 24]], np.float64) / 24
_PRODUCTS = np.array(
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float64
)
"""Of one axis: B', G and A' of the paper; both axes' are Kronecker products."""
INPUTS_AT_ONCE = 32
"""Channels whose kernels are turned at once: their sums in float64 then stay in the processor's cache."""


class Maps(NamedTuple):
    """Maps of a layer in a graph.

    name: of the tensor, (rows, faces, channels). rows: the row of each place, (side, side). outside: a row of
    zeros.
    """

    name: str
    rows: NDArray[np.int64]
    outside: int

    @property
    def side(self) -> int:
        """Return the pictures' side, places."""
        return len(self.rows)


def kernels(weight: Array) -> Array:
    """Turn kernels (outputs, inputs, 3, 3) into their sums, (36, inputs, outputs)."""
    outputs, inputs = weight.shape[:2]
    found = np.empty((SUMS, inputs, outputs), np.float32)
    both, taps = np.kron(_KERNEL, _KERNEL), weight.reshape(outputs, inputs, 9).transpose(2, 1, 0)
    for first in range(0, inputs, INPUTS_AT_ONCE):
        own = taps[:, first : first + INPUTS_AT_ONCE].astype(np.float64)  # (9, some inputs, outputs)
        found[:, first : first + own.shape[1]] = (both @ own.reshape(9, -1)).reshape(SUMS, -1, outputs)
    return found


def bias_rows(bias: Array, halved: bool) -> Array:
    """Return what a layer adds to each row of a tile, the last of which is outside: (rows, 1, outputs)."""
    return np.stack([bias] * _rows_of_tile(halved) + [np.zeros_like(bias)])[:, None]


def bias_shape(outputs: int, halved: bool) -> tuple[int, int, int]:
    """Return the shape of `bias_rows`."""
    return _rows_of_tile(halved) + 1, 1, outputs


def as_rows(graph: Graph, maps: str, side: int, channels: int) -> Maps:
    """Add to a graph what makes rows of one face's maps, (1, channels, side, side)."""
    x = graph.add("Transpose", maps, perm=[0, 2, 3, 1])
    x = graph.add("Reshape", x, graph.constant([side * side, 1, channels], np.int64))
    x = graph.add("Concat", x, graph.constant(np.zeros((1, 1, channels), np.float32)), axis=0)
    return Maps(x, np.arange(side * side).reshape(side, side), side * side)


def as_vectors(graph: Graph, maps: Maps) -> str:
    """Add to a graph what makes vectors of rows: (faces, values), in the order channels, rows, columns."""
    x = graph.add("Gather", maps.name, graph.constant(maps.rows.ravel()), axis=0)  # (places, faces, channels)
    return graph.add("Flatten", graph.add("Transpose", x, perm=[1, 2, 0]), axis=1)


class Convolution(NamedTuple):
    """A layer: its convolution, ReLU, and where `halved` between them the maximum of 2 x 2 places.

    weight, bias: the tensors that `kernels` and `bias_rows` make. strips: parts, one below the other, into
    which the picture is cut, so that what is made of one stays in the processor's cache.
    """

    weight: str
    bias: str
    inputs: int
    outputs: int
    halved: bool
    strips: int


def convolved(graph: Graph, maps: Maps, layer: Convolution) -> Maps:
    """Add a layer to a graph."""
    tiles = -(-maps.side // TILE)
    every = list(product(range(tiles), range(tiles)))
    size = -(-tiles // layer.strips) * tiles
    half, side = (TILE // 2, maps.side // 2) if layer.halved else (TILE, maps.side)
    # the last tiles may pass the picture's edge
    rows, names, first = np.empty((tiles * half, tiles * half), np.int64), [], 0
    for begin in range(0, len(every), size):
        own = every[begin : begin + size]
        names.append(_strip(graph, maps.name, _seen(maps, own), layer))
        for number, (down, right) in enumerate(own):
            places = first + number + len(own) * np.arange(half * half)
            rows[down * half :, right * half :][:half, :half] = places.reshape(half, half)
        first += (half * half + 1) * len(own)
    name = names[0] if len(names) == 1 else graph.add("Concat", *names, axis=0)
    return Maps(name, rows[:side, :side], first - 1)


def _seen(maps: Maps, tiles: list[tuple[int, int]]) -> NDArray[np.int64]:
    """Return the rows that each of some tiles sees, (36, tiles)."""
    wide = -(-maps.side // TILE) * TILE + 2
    padded = np.full((wide, wide), maps.outside)
    padded[1 : maps.side + 1, 1 : maps.side + 1] = maps.rows
    own = [padded[down * TILE :, right * TILE :][:SEEN, :SEEN].ravel() for down, right in tiles]
    return np.stack(own, axis=1)


def _strip(graph: Graph, maps: str, seen: NDArray[np.int64], layer: Convolution) -> str:
    """Add a layer for some tiles; seen: the rows that they see. Gives (rows, faces, outputs)."""

    def shaped(name: str, *shape: int) -> str:
        return graph.add("Reshape", name, graph.constant(shape, np.int64))

    def matrix(values: NDArray[np.floating]) -> str:
        return graph.constant(values.astype(np.float32))

    outcome = np.kron(_PRODUCTS, _PRODUCTS)[None]  # (1, 16, 36)
    if layer.halved:  # the four that the maximum is taken of come first: (4, 4, 36)
        outcome = outcome.reshape(2, 2, 2, 2, SUMS).transpose(1, 3, 0, 2, 4).reshape(4, 4, SUMS)
    outcome = np.concatenate([outcome, np.zeros((len(outcome), 1, SUMS))], axis=1)  # and what is outside
    rows = outcome.shape[1]
    x = graph.add("Gather", maps, graph.constant(seen), axis=0)  # (36, tiles, faces, inputs)
    x = graph.add("MatMul", matrix(np.kron(_PLACES, _PLACES)), shaped(x, SUMS, -1))
    x = graph.add("MatMul", shaped(x, SUMS, -1, layer.inputs), layer.weight)  # (36, tiles x faces, outputs)
    x = graph.add("MatMul", matrix(outcome.reshape(-1, SUMS)), shaped(x, SUMS, -1))
    if layer.halved:
        x = graph.add("ReduceMax", shaped(x, len(outcome), -1), axes=[0], keepdims=0)
    x = graph.add("Relu", graph.add("Add", shaped(x, rows, -1, layer.outputs), layer.bias))
    return shaped(x, rows * seen.shape[1], -1, layer.outputs)


def _rows_of_tile(halved: bool) -> int:
    return TILE * TILE // 4 if halved else TILE * TILE
