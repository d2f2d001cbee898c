"""An ONNX graph that is being written: nodes, constants, inputs, outputs, and what a step hands to the next.

A graph that goes step by step takes what it has to remember (GRU states, predictions that the annotation
delay holds back) as one vector and gives the next one; a graph of whole recordings starts from zeros.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STATE, NEXT_STATE = "state", "next_state"


class State(NamedTuple):
    """What a step begins with: the name of its tensor, and its place among all states."""

    name: str
    place: int


class Graph:
    """A graph that is being written. Names are counted, so the same calls give the same bytes.

    step: whether states come in and go out. apart: whether each row is a recording of its own, of which no
    other row is to know. complete: whether it holds all of its constants.
    """

    def __init__(self, step: bool = False, apart: bool = False) -> None:
        self.step = step
        self.apart = apart
        self.complete = True
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

    def given(self, name: str, shape: Sequence[int]) -> str:
        """Return the name of a constant, float32 of a shape, that the runtime is given beside the graph."""
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=name)
        self._constants[name] = tensor
        self.complete = False
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
        if self.complete:  # without its constants the checker refuses it; the runtime checks it with them
            onnx.checker.check_model(model, full_check=True)
        return bytes(model.SerializeToString(deterministic=True))
