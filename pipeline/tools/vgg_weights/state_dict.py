"""A file of `torch.save` -> the arrays of its state dict, by `torch.load(weights_only=True)`.

That calls nothing but what PyTorch lists, and is not enough for a file from anywhere: on the list are
`bytearray` and `torch.Tensor`, which take as much memory as they are told; a tuple that holds a tuple twice,
and so on sixty times, never ends as the key of a dict; an archive may be compressed, and its hashes are not
compared. So the file is looked through before PyTorch reads it: of what a pickle may call and say, that
alone is allowed which a state dict of float32 needs. Both of torch's formats are read, the zip archive and
the row of pickles before it.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
import struct
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.embeddings.vgg_architecture import WeightsError

CALLED = {
    "collections OrderedDict", "torch FloatStorage",
    "torch._utils _rebuild_parameter", "torch._utils _rebuild_tensor_v2",
}  # fmt: skip
NAMES = {"BINUNICODE", "SHORT_BINSTRING", "GLOBAL"}
"""What a pickle may say once and refer to again: nothing that holds something else."""
TUPLES = {"TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"}
OPCODES = {
    "PROTO", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE",
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET",
    "APPEND", "APPENDS", "SETITEM", "SETITEMS", "BUILD", "BINPERSID", "REDUCE", *NAMES, *TUPLES,
}  # fmt: skip
MOST_TUPLES = 10_000
"""Of a pickle; a tensor takes four. More, one in the other, would overflow the processor's stack."""
PICKLES = 1 << 22
"""Most bytes of the pickles: a tensor takes some 200."""
PARTS = re.compile(r"[^/]+/(data\.pkl|version|byteorder|data/\d+)")
"""Parts of an archive that PyTorch is given."""
LONGEST_REASON = 300
"""Letters of a reason, which may quote the file."""


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a state dict of float32 by their names, each contiguous.

    No code of the file is run, and memory is taken for a few times the size of the file at most.

    Raises:
        FileNotFoundError: no such file.
        WeightsError: torch.save did not write it, it is cut off or was edited, or it holds something else
            than float32 tensors.
    """
    import torch

    content = path.read_bytes()
    try:
        stream = _archive(content) if content.startswith(b"PK") else _row(content)
        return _arrays(torch.load(stream, "cpu", weights_only=True), len(content))
    # what a damaged file leads to in zipfile and in PyTorch; the reason tells one from the other
    except (
        pickle.UnpicklingError, zipfile.BadZipFile, struct.error, RuntimeError, EOFError, LookupError,
        TypeError, ValueError, OverflowError, AttributeError, AssertionError, MemoryError,
    ) as error:  # fmt: skip
        # PyTorch advises to load the file without the limits, then says why it does not
        reason = str(error).rpartition("WeightsUnpickler error: ")[2].strip().partition("\n")[0]
        raise WeightsError(
            f"{path}: cannot be read as a PyTorch state dict of float32 tensors: {reason[:LONGEST_REASON]}"
        ) from None


def _archive(content: bytes) -> IO[bytes]:
    """Return a zip archive that holds what zipfile finds in the file, its hashes compared.

    PyTorch reads archives by other code, which might find something else in the file itself.
    """
    found = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(found, "w") as copy:
        entries = archive.infolist()
        if any(e.compress_type != zipfile.ZIP_STORED or e.compress_size != e.file_size for e in entries):
            raise pickle.UnpicklingError("its parts are compressed, which torch.save never does")
        if sum(entry.file_size for entry in entries) > len(content):
            raise pickle.UnpicklingError("its parts together are larger than the file")
        pickles = [entry for entry in entries if entry.filename.endswith("/data.pkl")]
        if len(pickles) != 1 or pickles[0].file_size > PICKLES:
            raise pickle.UnpicklingError(
                f"it holds {len(pickles)} data.pkl of {[entry.file_size for entry in pickles]} bytes, "
                f"expected one of at most {PICKLES}"
            )
        _look_through(io.BytesIO(archive.read(pickles[0])))
        if not any(entry.filename.endswith("/version") for entry in entries):
            raise pickle.UnpicklingError("it lacks the part `version`, which torch.save writes")
        for entry in {e.filename: e for e in entries if PARTS.fullmatch(e.filename)}.values():
            copy.writestr(entry.filename, archive.read(entry))
    found.seek(0)
    return found


def _row(content: bytes) -> IO[bytes]:
    """Return the file in torch's older format: five pickles and the values."""
    pickles = io.BytesIO(content[:PICKLES])
    for _ in range(5):
        _look_through(pickles)
    return io.BytesIO(content)


def _look_through(stream: IO[bytes]) -> None:
    """Refuse a pickle that is not written as a state dict of float32 is. Leaves the stream behind it.

    stream: bytes in memory: a length that reaches past them is refused before anything is allocated.

    Raises:
        pickle.UnpicklingError: naming what it uses.
        ValueError: it is no pickle, or one that breaks off.
    """
    names: set[int] = set()
    tuples, before = 0, ""
    for opcode, argument, _ in pickletools.genops(stream):
        if opcode.name not in OPCODES:
            raise pickle.UnpicklingError(f"it uses {opcode.name}")
        if opcode.name == "GLOBAL" and argument not in CALLED:
            raise pickle.UnpicklingError(f"it names {str(argument).replace(' ', '.')}")
        if opcode.name in ("BINPUT", "LONG_BINPUT"):
            (names.add if before in NAMES else names.discard)(int(argument or 0))
        if opcode.name in ("BINGET", "LONG_BINGET") and argument not in names:
            raise pickle.UnpicklingError("it holds something twice that is no name")
        tuples += opcode.name in TUPLES
        if tuples > MOST_TUPLES:
            raise pickle.UnpicklingError(f"it holds more than {MOST_TUPLES:,} tuples")
        before = opcode.name


def _arrays(state: Any, length: int) -> dict[str, NDArray[np.float32]]:
    """Return the arrays, as views or copies; the copies are together no larger than the file, `length` bytes.

    Raises:
        pickle.UnpicklingError: it is no dict of float32 tensors, or repeats values.
    """
    import torch

    if not isinstance(state, dict):
        raise pickle.UnpicklingError(f"it holds a {type(state).__name__}")
    arrays: dict[str, NDArray[np.float32]] = {}
    copied = 0
    for name, tensor in state.items():
        if not isinstance(name, str):
            raise pickle.UnpicklingError(f"it has the key {name!r}, expected a name")
        if not isinstance(tensor, torch.Tensor) or tensor.dtype != torch.float32:
            found = tensor.dtype if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise pickle.UnpicklingError(f"'{name}' is a {found}, expected a float32 tensor")
        if not tensor.is_contiguous():
            copied += tensor.numel() * tensor.itemsize
            if copied > length:
                raise pickle.UnpicklingError(f"'{name}' repeats its values beyond the size of the file")
        arrays[name] = tensor.detach().contiguous().numpy()
    return arrays
