"""A weight file of torch -> its arrays, without torch, whose import takes a second and more.

`torch.save` writes a zip archive: `<name>/data.pkl`, a pickle of the object with a persistent id in place of
each storage, and `<name>/data/<key>`, the values of each storage, none of them compressed. Its older format
(`_use_new_zipfile_serialization=False`) is a row of pickles: a magic number, the format's version, facts
about the machine, the object, and the list of the storages' keys; then for each key an int64, the number of
values, and the values. Source: `_save` and `_legacy_save` in torch/serialization.py.
"""

from __future__ import annotations

import io
import math
import pickle
import reprlib
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from pipeline.features.embeddings.state_dict_pickle import Tensor, described
from pipeline.features.embeddings.vgg_architecture import WeightsError

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
FORMAT = 1001
"""The older format's version, which has never been raised."""
ARCHIVE = b"PK"
PICKLES = 1 << 22
"""Most bytes of the pickles: a tensor takes some 200."""
LONGEST_REASON = 300
"""Letters of a reason, which may quote the file."""

Values = NDArray[np.float32]


def read_tensors(path: Path) -> dict[str, Values]:
    """Return the tensors of a state dict of float32 by their names, each contiguous.

    No code of the file is run, and nothing is allocated that the file does not hold.

    Raises:
        FileNotFoundError: no such file.
        WeightsError: torch.save did not write it, it is cut off or was edited, or it holds something else
            than float32 tensors.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(ARCHIVE))
            tensors, storages = _archive(path) if start == ARCHIVE else _row(file, path.stat().st_size)
        return _arrays(tensors, storages, path.stat().st_size)
    # what objects of another shape lead to; the reason tells one from the other
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        struct.error,
        RuntimeError,  # an encrypted archive
        EOFError,
        LookupError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:
        reason = str(error)[:LONGEST_REASON]
        raise WeightsError(
            f"{path}: cannot be read as a PyTorch state dict of float32 tensors: {reason}"
        ) from None


def _archive(path: Path) -> tuple[Any, dict[str, Values]]:
    """Read torch's zip format."""
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(e.compress_type != zipfile.ZIP_STORED or e.compress_size != e.file_size for e in entries):
            raise pickle.UnpicklingError("its parts are compressed, which torch.save never does")
        if sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise pickle.UnpicklingError("its parts together are larger than the file")
        pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1 or pickles[0].file_size > PICKLES:
            raise pickle.UnpicklingError(
                f"it holds {len(pickles)} data.pkl of {[entry.file_size for entry in pickles]} bytes, "
                f"expected one of at most {PICKLES}"
            )
        folder = pickles[0].filename.removesuffix("/data.pkl")
        if f"{folder}/byteorder" in archive.namelist() and archive.read(f"{folder}/byteorder") != b"little":
            raise pickle.UnpicklingError("its numbers are not little-endian")
        tensors = described(io.BytesIO(archive.read(pickles[0])))
        keys = {tensor.storage.key for tensor in _members(tensors).values()}
        return tensors, {key: _numbers(archive.read(f"{folder}/data/{key}")) for key in sorted(keys)}


def _row(file: IO[bytes], length: int) -> tuple[Any, dict[str, Values]]:
    """Read torch's older format."""
    file.seek(0)
    pickles = io.BytesIO(file.read(PICKLES))
    head = [described(pickles) for _ in range(3)]
    if head[:2] != [MAGIC_NUMBER, FORMAT] or head[2].get("little_endian") is not True:
        raise pickle.UnpicklingError(f"it begins with {reprlib.repr(head)}")
    tensors, keys = described(pickles), described(pickles)
    file.seek(pickles.tell())
    storages = {}
    for key in keys:
        count = int.from_bytes(_exactly(file, 8, length), "little", signed=True)
        storages[key] = _numbers(_exactly(file, 4 * count, length))
    return tensors, storages


def _numbers(payload: bytes) -> Values:
    return np.frombuffer(payload, "<f4").astype(np.float32, copy=False)


def _exactly(file: IO[bytes], count: int, length: int) -> bytes:
    """Read a number of bytes; looks first, since `read` would allocate them."""
    rest = length - file.tell()
    if not 0 <= count <= rest:
        raise EOFError(f"it ends {count - rest} bytes too early")
    return file.read(count)


def _members(tensors: Any) -> dict[str, Tensor]:
    """Return the tensors of a state dict."""
    if not isinstance(tensors, dict):
        raise pickle.UnpicklingError(f"it holds a {type(tensors).__name__}")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise pickle.UnpicklingError(f"'{name}' is a {type(tensor).__name__}, expected a tensor")
    return tensors


def _arrays(tensors: Any, storages: dict[str, Values], length: int) -> dict[str, Values]:
    """Return the arrays, as views or copies; these are together no larger than the file, `length` bytes."""
    arrays: dict[str, Values] = {}
    copied = 0
    for name, tensor in _members(tensors).items():
        view = _view(tensor, storages)
        if not view.flags.c_contiguous:
            copied += view.nbytes
            if copied > length:
                raise pickle.UnpicklingError(f"'{name}' repeats its values beyond the size of the file")
            view = view.copy(order="C")
        arrays[name] = view
    return arrays


def _view(tensor: Tensor, storages: dict[str, Values]) -> Values:
    """Return a view of a tensor's values: as_strided reads where it is told, so look first."""
    values = storages[tensor.storage.key]
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if len(values) != tensor.storage.values or min((tensor.offset, *tensor.size, *tensor.stride)) < 0:
        raise pickle.UnpicklingError(f"{tensor} of {len(values)} values")
    if 0 in tensor.size:
        return np.zeros(tensor.size, np.float32)
    if last >= len(values):
        raise pickle.UnpicklingError(f"{tensor} ends after {len(values)} values")
    if math.prod(tensor.size) > 1 << 40:
        raise pickle.UnpicklingError(f"{tensor} repeats its values")
    strides = tuple(step * values.itemsize for step in tensor.stride)
    return as_strided(values[tensor.offset :], tensor.size, strides, writeable=False)
