"""A network in ONNX's format -> a session of onnxruntime whose results hang on nothing but its input.

One thread: several would add sums in another order. What a network gives for one input of a batch then does
not depend on the others either; tests of each network hold that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import onnxruntime

Weights = Iterator[tuple[str, NDArray[np.float32]]]


def open_session(
    content: bytes, weights: Weights | None = None, *, keep_memory: bool = True
) -> onnxruntime.InferenceSession:
    """Load a network.

    content: the ONNX file. weights: the tensors that it names and does not hold. keep_memory: keep what one
    input needed for the next; not for inputs of any length, as memory would grow to what the longest needs.

    Raises whatever onnxruntime does, whose exceptions have no common class.
    """
    # imported here: it takes a third of a second, which a stage that finds all in the store does without
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.use_deterministic_compute = True
    options.enable_mem_pattern, options.enable_cpu_mem_arena = False, keep_memory
    # products of matrices packed beforehand go the same way for one row as for many
    options.add_session_config_entry("session.disable_prepacking", "0")
    options.log_severity_level = 3
    if weights is not None:
        names, values = [], []
        for name, tensor in weights:
            names.append(name)
            values.append(onnxruntime.OrtValue.ortvalue_from_numpy(tensor))
        options.add_external_initializers(names, values)
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
