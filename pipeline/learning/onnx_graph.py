"""Layers of trained models -> nodes of an ONNX graph, over whole recordings or step by step.

The two are the same but for where they begin, so that a stream gives what the whole gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.onnx_graph import Graph

if TYPE_CHECKING:
    from torch import nn

TREES = "ai.onnx.ml"
"""The domain of trees; all other operators are those of ONNX itself."""


class NotPortableError(ValueError):
    """Report a model that ONNX cannot hold, or not in the form asked for: why."""


class LayerWeights(NamedTuple):
    """The weights of a layer in one direction, as PyTorch has them.

    Gates lie one below the other: r, z, n of a GRU, i, f, g, o of an LSTM.
    """

    weight_ih: NDArray[np.float32]
    weight_hh: NDArray[np.float32]
    bias_ih: NDArray[np.float32]
    bias_hh: NDArray[np.float32]


def gru(graph: Graph, rows: str, layers: Sequence[Sequence[LayerWeights]]) -> str:
    """Add GRU layers over the rows of a recording, or of rows that stand apart; output (frames, embedding).

    rows: (frames, features). layers: of each layer its directions, one or two.

    Raises:
        NotPortableError: a step through layers that also run backwards in time.
    """
    values = graph.add("Unsqueeze", rows, _alone(graph))  # (frames, recordings, features), one of both is 1
    for directions in layers:
        if graph.step and len(directions) > 1:
            raise NotPortableError(
                "the network is bidirectional (learning.network.bidirectional): it also reads a recording "
                "backwards from its end, so there is no form of it that goes step by step; export it without "
                "--step"
            )
        weight, recurrent, bias = (np.stack(own) for own in zip(*map(_in_onnx, directions), strict=True))
        hidden = recurrent.shape[2]
        # rows that stand apart begin from zeros, which is what an operator without a state does
        state = None if graph.apart else graph.state(len(directions), 1, hidden)
        # linear_before_reset: the reset gate acts on W_hh h + b_hh, as in PyTorch
        found, last = graph.add_several(
            "GRU", 2, values, *map(graph.constant, (weight, recurrent, bias)), "",
            *([] if state is None else [state.name]), hidden_size=hidden, linear_before_reset=1,
            direction="bidirectional" if len(directions) > 1 else "forward",
        )  # fmt: skip
        if state is not None:
            graph.keep(state, last)
        values = _side_by_side(graph, found, hidden * len(directions))
    return graph.add("Squeeze", values, _alone(graph))


def lstm(graph: Graph, rows: str, layers: Sequence[Sequence[LayerWeights]]) -> str:
    """Add LSTM layers over the rows of a recording; arguments and output as of `gru`.

    Raises:
        NotPortableError: a graph that goes step by step.
    """
    if graph.step:
        raise NotPortableError(
            "the encoder reads a recording from both ends, so there is no form of it that goes step by step; "
            "export it without --step"
        )
    values = graph.add("Unsqueeze", rows, _alone(graph))  # (frames, recordings, features), one of both is 1
    for directions in layers:
        of_each = [[_reordered(own, (0, 3, 1, 2)) for own in weights] for weights in directions]
        weight, recurrent, of_input, of_state = (np.stack(own) for own in zip(*of_each, strict=True))
        hidden = recurrent.shape[2]
        found, _, _ = graph.add_several(
            "LSTM", 3, values,
            *map(graph.constant, (weight, recurrent, np.concatenate((of_input, of_state), axis=1))),
            hidden_size=hidden, direction="bidirectional" if len(directions) > 1 else "forward",
        )  # fmt: skip
        values = _side_by_side(graph, found, hidden * len(directions))
    return graph.add("Squeeze", values, _alone(graph))


def _alone(graph: Graph) -> str:
    """Return the axis along which there is one: one recording, or of rows that stand apart one frame each."""
    return graph.constant([0 if graph.apart else 1], np.int64)


def _side_by_side(graph: Graph, found: str, width: int) -> str:
    """Return what a layer gives, (frames, directions, recordings, hidden), as what the next one takes."""
    turned = graph.add("Transpose", found, perm=[0, 2, 1, 3])  # (frames, recordings, directions, hidden)
    shape = [1, -1, width] if graph.apart else [-1, 1, width]
    return graph.add("Reshape", turned, graph.constant(shape, np.int64))


def linear(graph: Graph, rows: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
    """Add a linear layer; weight: (outputs, inputs), as PyTorch has it."""
    return graph.add("Add", graph.add("MatMul", rows, graph.constant(weight.T.copy())), graph.constant(bias))


def head(
    graph: Graph, rows: str, weight: NDArray[np.float32], bias: NDArray[np.float32], several: bool = False
) -> str:
    """Add the last layer, and probabilities where it has several outputs.

    several: as of `pipeline.learning.outputs.probabilities`.
    """
    found = linear(graph, rows, weight, bias)
    if len(bias) == 1:
        return found
    return graph.add("Sigmoid", found) if several else graph.add("Softmax", found, axis=-1)


def _reordered(own: NDArray[np.float32], order: Sequence[int]) -> NDArray[np.float32]:
    """Return the gates of a weight or bias in another order."""
    parts = np.split(own, len(order))
    return np.concatenate([parts[place] for place in order])


def layers_of(module: nn.GRU | nn.LSTM) -> list[list[LayerWeights]]:
    """Return the weights of a recurrent module by layer and direction."""
    own = {name: tensor.detach().numpy() for name, tensor in module.named_parameters()}
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    suffixes = ("", "_reverse") if module.bidirectional else ("",)
    return [
        [LayerWeights(*(own[f"{kind}_l{layer}{suffix}"] for kind in kinds)) for suffix in suffixes]
        for layer in range(module.num_layers)
    ]


def _in_onnx(own: LayerWeights) -> tuple[NDArray[np.float32], ...]:
    """Return W, R and B of ONNX's GRU, whose gates are z, r, h."""
    turned = [_reordered(part, (1, 0, 2)) for part in own]
    return turned[0], turned[1], np.concatenate(turned[2:])
