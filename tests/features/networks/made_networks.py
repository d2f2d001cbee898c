"""Small ONNX networks for tests, and what they compute written out in NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pipeline.params.features import OnnxFace, OnnxWaveform

SIDE = 8
VALUES = 5
KERNEL, STRIDE = 40, 20


def save(path: Path, nodes, inputs, outputs, tensors, kind=TensorProto.FLOAT) -> Path:
    """Write a network. inputs, outputs: name -> shape."""
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info(name, kind, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(values, name) for name, values in tensors.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def face_weights(channels: int) -> np.ndarray:
    return np.random.default_rng(channels).normal(size=(channels * SIDE * SIDE, VALUES)).astype(np.float32)


def face_network(path: Path, shape=(1, 3, SIDE, SIDE), channels: int = 3) -> Path:
    """Write a network of one matrix. Its outputs: `vector`, and `maps`, the input times 2."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["vector"]),
        helper.make_node("Add", ["x", "x"], ["maps"]),
    ]
    outputs = {"vector": [1, VALUES], "maps": [None] * len(shape)}
    return save(path, nodes, {"x": list(shape)}, outputs, {"w": face_weights(channels)})


def face_parameters(path: Path, **changed) -> OnnxFace:
    given = {
        "file": str(path), "output": "vector", "side": SIDE, "mean": (127.5,), "scale": (64.0,),
        "colour": "rgb", "emotion_trained": False,
    }  # fmt: skip
    return OnnxFace(**(given | changed))


def sound_weights() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(VALUES, 1, KERNEL)).astype(np.float32)


def sound_network(path: Path, shape=(1, "samples")) -> Path:
    """Write a network of one convolution: outputs `frames`, (1, frames, values), and `vector`, their mean."""
    nodes, first = [], "x"
    for axis in range(len(shape), 3):
        nodes.append(helper.make_node("Unsqueeze", [first, "axis"], [f"x{axis}"]))
        first = f"x{axis}"
    nodes += [
        helper.make_node("Conv", [first, "w"], ["y"], strides=[STRIDE]),
        helper.make_node("Transpose", ["y"], ["frames"], perm=[0, 2, 1]),
        helper.make_node("ReduceMean", ["frames"], ["vector"], axes=[1], keepdims=0),
    ]
    outputs = {"frames": [1, None, VALUES], "vector": [1, VALUES]}
    tensors = {"w": sound_weights(), "axis": np.array([0], np.int64)}
    return save(path, nodes, {"x": list(shape)}, outputs, tensors)


def frames_of(signal: np.ndarray) -> np.ndarray:
    """Return what `frames` of the sound network are, (frames, values)."""
    weights = sound_weights()[:, 0].astype(np.float64)
    count = (len(signal) - KERNEL) // STRIDE + 1
    return np.stack([weights @ signal[k * STRIDE : k * STRIDE + KERNEL] for k in range(count)])


def sound_parameters(path: Path, **changed) -> OnnxWaveform:
    given = {"file": str(path), "output": "frames", "emotion_trained": False, "standardise": False}
    return OnnxWaveform(**(given | changed))


def with_external_data(path: Path, where: str, location: str) -> Path:
    """Write a network whose weights lie in a file elsewhere. where: in what of the network."""
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [1], b"\0\0\0\0", raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    constant = helper.make_node("Constant", [], ["c"], value=tensor)
    inside = helper.make_graph([constant], "inside", [], [helper.make_tensor_value_info("c", 1, [1])])
    condition = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    nodes = {
        "initializer": [helper.make_node("Identity", ["x"], ["vector"])],
        "constant": [constant, helper.make_node("Add", ["x", "c"], ["vector"])],
        "branch": [
            helper.make_node("Constant", [], ["yes"], value=condition),
            helper.make_node("If", ["yes"], ["c"], then_branch=inside, else_branch=inside),
            helper.make_node("Add", ["x", "c"], ["vector"]),
        ],
        "function": [helper.make_node("Own", ["x"], ["vector"], domain="own")],
    }[where]
    graph = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, None)],
        [tensor] if where == "initializer" else [],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    if where == "function":
        own = [constant, helper.make_node("Add", ["x", "c"], ["y"])]
        model.functions.append(onnx.helper.make_function("own", "Own", ["x"], ["y"], own, imports[:1]))
    path.write_bytes(model.SerializeToString())
    return path
