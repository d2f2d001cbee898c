"""Torch7's binary files -> Python objects: tables, numbers, strings, tensors.

Our own reader of the little that a network needs: the package `torchfile` has been dormant since
2017 and reads tensors by unchecked strides, so that a damaged file reads memory outside its array.
Format: torch7, File.lua and generic/{Tensor,Storage}.c: little-endian, int32 types and lengths,
int64 sizes; objects that occur twice are written once and then named by their number.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

NIL, NUMBER, STRING, TABLE, OBJECT, BOOLEAN, FUNCTION = 0, 1, 2, 3, 4, 5, 6
OLD_FUNCTION, RECURSIVE_FUNCTION = 7, 8
DTYPES = {
    "Byte": "<u1", "Char": "<i1", "Short": "<i2", "Int": "<i4", "Long": "<i8",
    "Float": "<f4", "Double": "<f8", "Cuda": "<f4", "CudaDouble": "<f8",
}  # fmt: skip
DEEPEST = 200


class Torch7Error(ValueError):
    """Report a file that is not, or not completely, in Torch7's binary format."""


@dataclass
class Torch7Object:
    """An instance of a Lua class that is no tensor: its class and what it holds (mostly a dict)."""

    kind: str
    fields: Any = None


def read_object(path: Path) -> Any:
    """Return the object that a file holds.

    Tables become dicts (whole numbers as int keys), tensors become read-only arrays.

    Raises:
        Torch7Error: the file breaks off or holds what no Torch7 file holds.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        # slices of a map are copies, so that the file can be closed
        return _Reader(content).value(0)


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self.content = content
        self.position = 0
        self.known: dict[int, Any] = {}

    def take(self, length: int) -> bytes:
        if length < 0 or self.position + length > len(self.content):
            raise Torch7Error(f"breaks off: wants {length} bytes at {self.position} of {len(self.content)}")
        start, self.position = self.position, self.position + length
        return self.content[start : self.position]

    def unpack(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0]

    def text(self) -> str:
        return self.take(self.unpack("i")).decode("latin-1")

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise Torch7Error(f"objects nested more than {DEEPEST} deep")
        kind = self.unpack("i")
        if kind == NIL:
            return None
        if kind == NUMBER:
            number = self.unpack("d")
            return int(number) if number.is_integer() else number
        if kind == BOOLEAN:
            return self.unpack("i") == 1
        if kind == STRING:
            return self.text()
        if kind not in (TABLE, OBJECT, FUNCTION, OLD_FUNCTION, RECURSIVE_FUNCTION):
            raise Torch7Error(f"unknown type {kind} before byte {self.position}")
        number = self.unpack("i")
        if number in self.known:
            return self.known[number]
        if kind == TABLE:
            return self.table(number, depth)
        if kind == OBJECT:
            return self.instance(number, depth)
        self.take(self.unpack("i"))  # Lua code, never run
        self.known[number] = Torch7Object("function")
        self.value(depth + 1)  # its upvalues
        return self.known[number]

    def table(self, number: int, depth: int) -> dict[Any, Any]:
        table: dict[Any, Any] = {}
        self.known[number] = table
        for _ in range(self.unpack("i")):
            key = self.value(depth + 1)
            value = self.value(depth + 1)
            if isinstance(key, (str, int, float)):
                table[key] = value
        return table

    def instance(self, number: int, depth: int) -> Any:
        version = self.text()
        name = self.text() if version.startswith("V ") else version
        if name.startswith("torch.") and name.endswith("Tensor"):
            self.known[number] = self.tensor(name, depth)
        elif name.startswith("torch.") and name.endswith("Storage"):
            self.known[number] = self.storage(name)
        else:
            self.known[number] = Torch7Object(name)  # known before it is read: it may hold itself
            self.known[number].fields = self.value(depth + 1)
        return self.known[number]

    def storage(self, name: str) -> NDArray[Any]:
        dtype = DTYPES.get(name.removeprefix("torch.").removesuffix("Storage"))
        if dtype is None:
            raise Torch7Error(f"{name} is not supported")
        return np.frombuffer(self.take(self.unpack("q") * np.dtype(dtype).itemsize), dtype)

    def tensor(self, name: str, depth: int) -> NDArray[Any]:
        axes = self.unpack("i")
        sizes = [self.unpack("q") for _ in range(axes)]
        strides = [self.unpack("q") for _ in range(axes)]
        offset = self.unpack("q") - 1  # Lua counts from 1
        storage = self.value(depth + 1)
        if storage is None or not axes:
            return np.empty(0, np.float32)
        if not isinstance(storage, np.ndarray):
            raise Torch7Error(f"{name} without a storage")
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if min(sizes) < 1 or min(strides) < 0 or offset < 0 or last >= len(storage):
            raise Torch7Error(f"{name} of shape {tuple(sizes)} reaches outside its {len(storage)} values")
        steps = [stride * storage.itemsize for stride in strides]
        try:
            return np.lib.stride_tricks.as_strided(storage[offset:], sizes, steps, writeable=False)
        except (ValueError, OverflowError) as error:
            raise Torch7Error(f"{name} of shape {tuple(sizes[:9])}: {error}") from None
