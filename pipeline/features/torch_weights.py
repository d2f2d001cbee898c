"""A weight file in torch's older format -> its arrays, without torch, whose import takes a second and more.

The format, as `torch.save(..., _use_new_zipfile_serialization=False)` writes it, is a row of pickles: a magic
number, the format's version, facts about the machine, the object with a persistent id in place of each
storage, and the list of the storages' keys; then for each key an int64, the number of values, and the values.
Source: `_legacy_load` in torch/serialization.py.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pipeline.features.vgg_weights.architecture import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
FORMAT = 1001
"""The format's version, which has never been raised."""


class _Storage(NamedTuple):
    key: str
    values: int


class _Tensor(NamedTuple):
    """What a tensor is of its storage; offset and stride count values."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a state dict of float32 by their names, each contiguous.

    No code of the file is run: of the names that a pickle may call, those of such a state dict are known
    and any other is refused.

    Raises:
        FileNotFoundError: no such file.
        WeightsError: not in torch's older format, cut off, or it holds something else than float32 tensors.
    """
    with path.open("rb") as file:
        try:
            head = [_Unpickler(file).load() for _ in range(3)]
            if head[:2] != [MAGIC_NUMBER, FORMAT] or head[2].get("little_endian") is not True:
                raise pickle.UnpicklingError(f"it begins with {head}")
            tensors, keys = _Unpickler(file).load(), _Unpickler(file).load()
            storages = {key: _values(file) for key in keys}
            return {name: _array(tensor, storages) for name, tensor in tensors.items()}
        # what objects of another shape lead to; the reason tells one from the other
        except (
            pickle.UnpicklingError,
            EOFError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
        ) as error:
            raise WeightsError(f"{path}: not float32 tensors in torch's older format: {error}") from None


class _Unpickler(pickle.Unpickler):
    """Load one pickle; tensors become `_Tensor`, which says where their values will be found."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for.

        Raises:
            pickle.UnpicklingError: it is none of those that a state dict of float32 needs.
        """
        found = _KNOWN.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        """Return which storage is meant: ("storage", its type, key, device, number of values, None)."""
        what, kind, key, _device, values, view = pid
        if (what, kind, view) != ("storage", _FLOAT_STORAGE, None):
            raise pickle.UnpicklingError(f"it holds the storage {pid}")
        return _Storage(key, values)


def _tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_gradient: Any
) -> _Tensor:
    return _Tensor(storage, offset, size, stride)


_FLOAT_STORAGE = "FloatStorage"
_KNOWN: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): _FLOAT_STORAGE,
}


def _values(file: IO[bytes]) -> NDArray[np.float32]:
    count = int.from_bytes(_exactly(file, 8), "little", signed=True)
    return np.frombuffer(_exactly(file, 4 * count), "<f4").astype(np.float32)


def _exactly(file: IO[bytes], count: int) -> bytes:
    found = file.read(count) if count >= 0 else b""
    if len(found) != count:
        raise EOFError(f"it ends {count - len(found)} bytes too early")
    return found


def _array(tensor: _Tensor, storages: dict[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return a contiguous copy of a tensor's values: as_strided reads where it is told, so look first."""
    values = storages[tensor.storage.key]
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if len(values) != tensor.storage.values or min((tensor.offset, *tensor.size, *tensor.stride)) < 0:
        raise pickle.UnpicklingError(f"{tensor} of {len(values)} values")
    if 0 in tensor.size:
        return np.zeros(tensor.size, np.float32)
    if last >= len(values):
        raise pickle.UnpicklingError(f"{tensor} ends after {len(values)} values")
    strides = tuple(step * values.itemsize for step in tensor.stride)
    return as_strided(values[tensor.offset :], tensor.size, strides, writeable=False).copy(order="C")
