"""An ONNX file -> its bytes, its one input and the output asked for; what it must not hold is refused.

A file comes from anywhere. It can name files of the machine as the place of its weights (external data); that
is refused wherever it stands, and the runtime is given bytes, never a path, so that it could not follow one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.features.extractor import NotReadyError
from pipeline.store.digest import sha256_of

if TYPE_CHECKING:
    import onnx

METADATA = "emobed"
"""The key under which a file that was imported says of which network."""
LARGEST = (1 << 31) - 1
"""Bytes of the format's messages, and so of a file that keeps its weights in itself."""


class Axis(NamedTuple):
    """One axis of an input: a number, or None where the network takes any."""

    length: int | None

    def takes(self, length: int) -> bool:
        """Say whether the network takes this length."""
        return self.length in (None, length)

    def __str__(self) -> str:
        """Return the number, or a word for any."""
        return "any" if self.length is None else str(self.length)


class OnnxFile(NamedTuple):
    """A file that was found fit. axes: of its one input."""

    path: Path
    content: bytes
    input: str
    axes: tuple[Axis, ...]
    output: str

    @property
    def shape(self) -> str:
        """Return the shape of the input, `1 x 3 x any x any`."""
        return " x ".join(map(str, self.axes))


@lru_cache(maxsize=4)
def network_sha256(path: Path) -> str:
    """Return the hash of an ONNX file.

    Raises:
        NotReadyError: no such file.
    """
    _require_file(path)
    return sha256_of(path)


def read_onnx(path: Path, output: str, imported: str = "") -> OnnxFile:
    """Read an ONNX file.

    output: the name of the output that is wanted. imported: the network that `emobed weights import` must
    have made it of; empty: anybody may have made it.

    Raises:
        NotReadyError: no such file, no ONNX, weights in other files, several inputs or one of another type
            than float32, no output of that name, or not the imported network.
    """
    # imported here: it takes a third of a second, and only whoever has such a file needs it
    import onnx
    from google.protobuf.message import DecodeError

    _require_file(path)
    if path.stat().st_size > LARGEST:
        raise NotReadyError(
            f"{path}: {path.stat().st_size:,} bytes, expected {LARGEST:,} at most in one file"
        )
    content = path.read_bytes()
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except DecodeError:
        raise NotReadyError(f"{path}: not an ONNX file, or one that breaks off") from None
    if not model.graph.node or not model.graph.output:
        raise NotReadyError(f"{path}: not an ONNX file: it holds no network")
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise NotReadyError(
                f"{path}: keeps weights in other files ('{tensor.name}'), which are not followed; save it as "
                "one file (`onnx.save(onnx.load(FILE), NEW)`)"
            )
    about = {item.key: item.value for item in model.metadata_props}
    if imported and about.get(METADATA) != imported:
        raise NotReadyError(
            f"{path}: was not made by `emobed weights import {imported}`, which alone sees what it is; any "
            "other network is video.embedding.network: onnx (docs/features.md)"
        )
    weights = {tensor.name for tensor in model.graph.initializer}
    inputs = [item for item in model.graph.input if item.name not in weights]
    if len(inputs) != 1:
        names = ", ".join(item.name for item in inputs) or "none"
        raise NotReadyError(f"{path}: has {len(inputs)} inputs ({names}), expected one")
    outputs = [item.name for item in model.graph.output]
    if output not in outputs:
        raise NotReadyError(f"{path}: has no output '{output}', expected one of {outputs}")
    kind = inputs[0].type.tensor_type
    if kind.elem_type != onnx.TensorProto.FLOAT:
        found = onnx.TensorProto.DataType.Name(kind.elem_type)
        raise NotReadyError(f"{path}: its input '{inputs[0].name}' is of type {found}, expected FLOAT")
    if not kind.HasField("shape"):
        raise NotReadyError(f"{path}: its input '{inputs[0].name}' states no shape, expected one")
    axes = tuple(Axis(axis.dim_value if axis.HasField("dim_value") else None) for axis in kind.shape.dim)
    return OnnxFile(path, content, inputs[0].name, axes, output)


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise NotReadyError(f"{path}: no such ONNX file (docs/features.md)")


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Give every tensor of a model, also of functions, of graphs within nodes, and of training."""
    graphs = [model.graph]
    for training in model.training_info:
        graphs += [training.initialization, training.algorithm]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        if graphs:
            graph = graphs.pop()
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            nodes += graph.node
            continue
        for attribute in nodes.pop().attribute:
            graphs += [*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs]
            yield from attribute.tensors
            if attribute.HasField("t"):
                yield attribute.t
            sparse = [*attribute.sparse_tensors]
            if attribute.HasField("sparse_tensor"):
                sparse.append(attribute.sparse_tensor)
            for item in sparse:
                yield from (item.values, item.indices)
