"""VGG-Face up to fc7 in bfloat16, by OpenVINO: faster than in float32 on processors that compute in it.

onnxruntime has no convolutions of bfloat16 on the processor. Layers and weights are those of `vgg_face`;
numbers of 16 bits, 8 of them digits, go into each product, sums have 32. Vectors differ from float32's: a
test holds how much.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from pipeline.features.embeddings.vgg_architecture import VGG_FACE, Architecture
from pipeline.features.embeddings.vgg_graph import MEAN_RGB
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
        import openvino

        # one thread: several would add sums in another order
        own = {"INFERENCE_PRECISION_HINT": "bf16", "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}
        compiled = openvino.Core().compile_model(_model(path, activation, architecture), "CPU", own)
        self._request = compiled.create_infer_request()
        self.size = architecture.image
        self.names = tuple(f"fc7_{i:04d}" for i in range(architecture.dense))

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return fc7 of square RGB crops; crops: (faces, 224, 224, 3). Returns (faces, 4096)."""
        found = self._request.infer([crops.astype(np.float32)])
        return np.array(found[0], np.float32)  # a copy: the request writes there again


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


def _model(path: Path, activation: str, architecture: Architecture) -> openvino.Model:
    """Return the network; its input are faces, (faces, side, side, 3) RGB, its output one layer's values."""
    import openvino
    from openvino import opset13 as layers

    side, place = architecture.image, ""
    faces = layers.parameter([-1, side, side, 3], np.float32, name="faces")
    mean = layers.constant(np.array(MEAN_RGB, np.float32))
    before = x = layers.transpose(layers.subtract(faces, mean), [0, 3, 1, 2])  # (faces, 3, side, side)
    with safe_open(path, framework="np") as file:
        for layer in architecture.layers:
            weight, bias = (
                np.asarray(file.get_tensor(f"{layer.torchvision}.{name}"), np.float32)
                for name in ("weight", "bias")
            )
            block = layer.name.partition("_")[0]
            if place.startswith("conv") and block != place:
                x = layers.max_pool(x, [2, 2], [1, 1], [0, 0], [0, 0], [2, 2]).output(0)
                x = layers.reshape(x, [0, -1], special_zero=True) if layer.dense else x
            place = block
            if layer.dense:
                product = layers.matmul(x, layers.constant(weight), False, True)
            else:
                product = layers.convolution(x, layers.constant(weight), [1, 1], [1, 1], [1, 1], [1, 1])
                bias = bias.reshape(1, -1, 1, 1)
            before = layers.add(product, layers.constant(bias))
            x = layers.relu(before)
    return openvino.Model([before if activation == "pre_relu" else x], [faces], "vgg_face")
