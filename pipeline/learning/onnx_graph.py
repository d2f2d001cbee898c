"""Layers of trained models -> nodes of an ONNX graph, over whole recordings or step by step.

A graph that goes step by step takes what it has to remember (GRU states, predictions that the annotation
delay holds back) as one vector and gives the next one; a graph of whole recordings starts from zeros.
Otherwise the two are the same, so that a stream gives what the whole gives.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from torch import nn

TREES = "ai.onnx.ml"
"""The domain of trees; all other operators are those of ONNX itself."""
STATE, NEXT_STATE = "state", "next_state"


class NotPortableError(ValueError):
    """Report a model that ONNX cannot hold, or not in the form asked for: why."""


class State(NamedTuple):
    """What a step begins with: the name of its tensor, and its place among all states."""

    name: str
    place: int


class Graph:
    """A graph that is being written. Names are counted, so the same calls give the same bytes.

    step: whether states come in and go out.
    """

    def __init__(self, step: bool = False) -> None:
        self.step = step
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._next: list[str] = []
        self._sizes: list[int] = []

    @property
    def state_size(self) -> int:
        """Return how many numbers are remembered from step to step."""
        return sum(self._sizes)

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        return self.add_several(operator, 1, *inputs, domain=domain, **attributes)[0]

    def add_several(
        self, operator: str, outputs: int, *inputs: str, domain: str = "", **attributes: Any
    ) -> list[str]:
        """Add a node and return the names of its outputs."""
        number = len(self.nodes)
        names = [f"{operator}_{number}" + (f"_{i}" if outputs > 1 else "") for i in range(outputs)]
        self.nodes.append(
            helper.make_node(operator, list(inputs), names, f"node_{number}", domain=domain, **attributes)
        )
        return names

    def constant(self, values: Any, dtype: type[np.generic] | None = None) -> str:
        """Return the name of a constant; equal ones are kept once."""
        array = np.ascontiguousarray(np.asarray(values, dtype))
        about = f"{array.dtype} {array.shape} ".encode()
        name = "constant_" + hashlib.sha256(about + array.tobytes()).hexdigest()[:16]
        self._constants[name] = numpy_helper.from_array(array.reshape(np.shape(values)), name)
        return name

    def input(self, name: str, kind: int, shape: Sequence[int | str]) -> str:
        """Add an input; an axis of any length is a word."""
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, source: str, shape: Sequence[int | str]) -> None:
        """Give a tensor of float32 out under a name."""
        self.nodes.append(helper.make_node("Identity", [source], [name], f"output_{name}"))
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

    def state(self, *shape: int) -> State:
        """Return what a step begins with, float32 of a shape: zeros at the beginning."""
        place, begin = len(self._sizes), self.state_size
        self._sizes.append(prod(shape))
        self._next.append("")
        if not self.step:
            return State(self.constant(np.zeros(shape, np.float32)), place)
        ends = (self.constant([value], np.int64) for value in (begin, begin + prod(shape), 0))
        own = self.add("Slice", STATE, *ends)
        return State(self.add("Reshape", own, self.constant(shape, np.int64)), place)

    def keep(self, state: State, after: str) -> None:
        """Say what the next step begins with; the same number of float32 as `state`."""
        self._next[state.place] = (
            self.add("Reshape", after, self.constant([-1], np.int64)) if self.step else ""
        )

    def rows(self, values: str, first: str, end: str) -> str:
        """Return the rows from `first` up to `end`, both tensors of one int64."""
        return self.add("Slice", values, first, end, self.constant([0], np.int64))

    def count(self, values: str) -> str:
        """Return the number of rows as a tensor of one int64."""
        return self.add("Shape", values, start=0, end=1)

    def model(self, opset: Mapping[str, int], ir: int, about: Mapping[str, str], name: str) -> bytes:
        """Return the finished model. opset: by domain. about: its metadata."""
        inputs, outputs = list(self.inputs), list(self.outputs)
        if self.step:
            if not self._next:  # what remembers nothing is called like all others
                nothing = self.state(1)
                self.keep(nothing, nothing.name)
            joined = self.add("Concat", *self._next, axis=0)
            inputs.append(helper.make_tensor_value_info(STATE, TensorProto.FLOAT, [self.state_size]))
            self.output(NEXT_STATE, joined, [self.state_size])
            outputs = list(self.outputs)
        used = {node.domain for node in self.nodes}
        read = {name for node in self.nodes for name in node.input}
        constants = [own for name, own in self._constants.items() if name in read]
        model = helper.make_model(
            helper.make_graph(self.nodes, name, inputs, outputs, constants),
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in opset.items()
                           if domain in used],
            ir_version=ir,
            producer_name="emobed",
        )  # fmt: skip
        for key, value in about.items():
            model.metadata_props.add(key=key, value=value)
        onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))


class LayerWeights(NamedTuple):
    """The weights of a layer in one direction, as PyTorch has them.

    Gates lie one below the other: r, z, n of a GRU, i, f, g, o of an LSTM.
    """

    weight_ih: NDArray[np.float32]
    weight_hh: NDArray[np.float32]
    bias_ih: NDArray[np.float32]
    bias_hh: NDArray[np.float32]


def gru(graph: Graph, rows: str, layers: Sequence[Sequence[LayerWeights]]) -> str:
    """Add GRU layers over the rows of a recording and return their output, (frames, embedding).

    rows: (frames, features). layers: of each layer its directions, one or two.

    Raises:
        NotPortableError: a step through layers that also run backwards in time.
    """
    first = graph.constant([1], np.int64)
    values = graph.add("Unsqueeze", rows, first)  # (frames, 1, features)
    for directions in layers:
        if graph.step and len(directions) > 1:
            raise NotPortableError(
                "the network is bidirectional (learning.network.bidirectional): it also reads a recording "
                "backwards from its end, so there is no form of it that goes step by step; export it without "
                "--step"
            )
        weight, recurrent, bias = (np.stack(own) for own in zip(*map(_in_onnx, directions), strict=True))
        hidden = recurrent.shape[2]
        state = graph.state(len(directions), 1, hidden)
        # linear_before_reset: the reset gate acts on W_hh h + b_hh, as in PyTorch
        found, last = graph.add_several(
            "GRU", 2, values, *map(graph.constant, (weight, recurrent, bias)), "", state.name,
            hidden_size=hidden, linear_before_reset=1,
            direction="bidirectional" if len(directions) > 1 else "forward",
        )  # fmt: skip
        graph.keep(state, last)
        turned = graph.add("Transpose", found, perm=[0, 2, 1, 3])  # (frames, 1, directions, hidden)
        width = hidden * len(directions)
        values = graph.add("Reshape", turned, graph.constant([-1, 1, width], np.int64))
    return graph.add("Squeeze", values, first)


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
    first = graph.constant([1], np.int64)
    values = graph.add("Unsqueeze", rows, first)  # (frames, 1, features)
    for directions in layers:
        of_each = [[_reordered(own, (0, 3, 1, 2)) for own in weights] for weights in directions]
        weight, recurrent, of_input, of_state = (np.stack(own) for own in zip(*of_each, strict=True))
        hidden = recurrent.shape[2]
        found, _, _ = graph.add_several(
            "LSTM", 3, values,
            *map(graph.constant, (weight, recurrent, np.concatenate((of_input, of_state), axis=1))),
            hidden_size=hidden, direction="bidirectional" if len(directions) > 1 else "forward",
        )  # fmt: skip
        turned = graph.add("Transpose", found, perm=[0, 2, 1, 3])  # (frames, 1, directions, hidden)
        shape = graph.constant([-1, 1, hidden * len(directions)], np.int64)
        values = graph.add("Reshape", turned, shape)
    return graph.add("Squeeze", values, first)


def linear(graph: Graph, rows: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
    """Add a linear layer; weight: (outputs, inputs), as PyTorch has it."""
    return graph.add("Add", graph.add("MatMul", rows, graph.constant(weight.T.copy())), graph.constant(bias))


def head(graph: Graph, rows: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
    """Add the last layer, and probabilities where it has several outputs."""
    found = linear(graph, rows, weight, bias)
    return graph.add("Softmax", found, axis=-1) if len(bias) > 1 else found


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
