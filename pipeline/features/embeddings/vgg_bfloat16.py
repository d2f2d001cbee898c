"""VGG-Face up to fc7 in bfloat16, by OpenVINO: faster than in float32 on processors that compute in it.

onnxruntime has no products of bfloat16 on the processor. Graphs and weights are those of `vgg_face`; numbers
of 16 bits, 8 of them digits, go into each product, sums have 32. Vectors differ from float32's: a test holds
how much.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture
from pipeline.features.embeddings.vgg_graph import MAPS, VECTORS, Tensors, VggGraphs
from pipeline.features.embeddings.weight_file import require_tensors
from pipeline.features.extractor import NotReadyError

if TYPE_CHECKING:
    import openvino

CAPABILITY = "BF16"
WAY_OUT = "or set video.embedding.precision to float32"


class VggFaceBfloat16:
    """fc7 of VGG-Face in bfloat16; what a face gets does not depend on the others given with it."""

    def __init__(self, path: Path, activation: str, architecture: Architecture = VGG_FACE) -> None:
        """Load the network; arguments as of `VggFaceEmbedder`.

        Raises:
            NotReadyError: as `require_bfloat16`.
            WeightsError: as `require_tensors`.
        """
        require_tensors(path, architecture)
        require_bfloat16()
        graphs = VggGraphs(architecture)
        self._third = _request(graphs.third, graphs.third_tensors(path))
        self._second = _request(graphs.second, graphs.second_tensors(path))
        self._first = _request(graphs.first, graphs.first_tensors(path))
        self.activation = activation
        self.size = architecture.image
        self.names = architecture.names

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return fc7 of square RGB crops; crops: (faces, 224, 224, 3). Returns (faces, 4096)."""
        maps = [_outcome(self._first, crop[None].astype(np.float32), MAPS) for crop in crops]
        vectors = _outcome(self._second, np.concatenate(maps, axis=1), VECTORS)
        return _outcome(self._third, vectors, self.activation)


def require_bfloat16() -> None:
    """Refuse a machine on which nothing computes in bfloat16.

    Raises:
        NotReadyError: OpenVINO is not installed, or the processor has no bfloat16; what to do.
    """
    try:
        # imported here: an extra that few have, and 0.7 s
        import openvino
    except ModuleNotFoundError:
        raise NotReadyError(
            "precision bfloat16 needs the package openvino, which is not installed: "
            f"`pip install 'emobed[bfloat16]'`, {WAY_OUT}"
        ) from None
    found = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if CAPABILITY not in found:
        raise NotReadyError(
            f"precision bfloat16: this processor does not compute in it, only in {', '.join(sorted(found))}; "
            f"take one with avx512_bf16 or amx_bf16, {WAY_OUT}"
        )


def _request(content: bytes, tensors: Tensors) -> openvino.InferRequest:
    """Return what runs one graph with its tensors in bfloat16."""
    import onnx
    import openvino
    from openvino import opset13 as layers

    graph = onnx.ModelProto.FromString(content)
    for own in [own for own in graph.graph.initializer if own.external_data]:
        # OpenVINO reads no constants from memory: inputs take their place until it has read the graph
        graph.graph.initializer.remove(own)
        graph.graph.input.append(onnx.helper.make_tensor_value_info(own.name, own.data_type, own.dims))
    core = openvino.Core()
    model = core.read_model(graph.SerializeToString())
    places = {parameter.get_friendly_name(): parameter for parameter in model.get_parameters()}
    for name, tensor in tensors:
        places[name].output(0).replace(layers.constant(tensor).output(0))
        model.remove_parameter(places[name])
    # one thread: several would add sums in another order
    own_settings = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
    return core.compile_model(model, "CPU", own_settings).create_infer_request()


def _outcome(request: openvino.InferRequest, given: NDArray[np.float32], output: str) -> NDArray[np.float32]:
    # a copy: the request writes there again
    return np.array(request.infer([given])[output], np.float32)
