"""MTCNN's weight files, as facenet-pytorch ships them, -> arrays, without torch, whose import takes seconds.

They are in the older format of `torch.save`: a row of pickles (a magic number, the format's version, facts
about the machine, the object with a persistent id in place of each storage, the keys of the storages), then
for each key an int64, the number of values, and the values. Source: `_legacy_save` in torch/serialization.py.
These files belong to an installed package, which is trusted; those that a user brings are read by
`pipeline.tools.vgg_weights.state_dict`. The unpickler finds three names and nothing else all the same.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import WeightsError

HEAD = (0x1950A86A20F9469CFC6C, 1001)
"""The magic number and the version of the format, which has never been raised."""

Values = NDArray[np.float32]


class _Tensor(NamedTuple):
    """What a tensor is of a storage: its key; offset and strides count values."""

    storage: str
    offset: int
    size: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Reads what a state dict of float32 is written with."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for.

        Raises:
            pickle.UnpicklingError: it is none of those that such a state dict needs.
        """
        known = {
            "collections.OrderedDict": OrderedDict,
            "torch.FloatStorage": "float32",
            "torch._utils._rebuild_tensor_v2": lambda *parts: _Tensor(*parts[:4]),
        }
        if f"{module}.{name}" not in known:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return known[f"{module}.{name}"]

    def persistent_load(self, pid: Any) -> str:
        """Return the key of a storage; pid: ("storage", its type, key, device, number of values, None)."""
        return str(pid[2])


def read_tensors(path: Path) -> dict[str, Values]:
    """Return the tensors of a state dict of float32 by their names.

    Raises:
        FileNotFoundError: no such file.
        WeightsError: it is not in torch's older format, breaks off, or holds something else.
    """
    with path.open("rb") as file:
        try:
            head = (_Unpickler(file).load(), _Unpickler(file).load())
            if head != HEAD:
                raise pickle.UnpicklingError(f"it begins with {head}, expected {HEAD}")
            _Unpickler(file).load()  # facts about the machine
            state, keys = _Unpickler(file).load(), _Unpickler(file).load()
            storages = {key: np.fromfile(file, "<f4", int(np.fromfile(file, "<i8", 1)[0])) for key in keys}
            return {name: _array(tensor, storages[tensor.storage]) for name, tensor in state.items()}
        except (
            pickle.UnpicklingError, EOFError, LookupError, TypeError, ValueError, AttributeError,
        ) as error:  # fmt: skip
            raise WeightsError(
                f"{path}: cannot be read as a PyTorch state dict of float32 tensors: {error}"
            ) from None


def _array(tensor: _Tensor, storage: Values) -> Values:
    """Return the values of a tensor in the order of its axes; in its storage they may lie in another."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.strides, strict=True))
    if 0 not in tensor.size and last >= len(storage):
        raise ValueError(f"{tensor} ends after {len(storage)} values")
    strides = [step * storage.itemsize for step in tensor.strides]
    found = as_strided(storage[tensor.offset :], tensor.size, strides, writeable=False)
    return np.ascontiguousarray(found, np.float32).reshape(tensor.size)
