"""C source -> functions compiled on this machine for its processor, once: kept in the user's cache.

Training runs without them, several times slower: where there is no C compiler a warning says so.
"""

from __future__ import annotations

import ctypes
import hashlib
import logging
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.learning.systems.emobed.compiled_steps import declare

logger = logging.getLogger(__name__)

SOURCES = tuple(Path(__file__).with_name(name) for name in ("compiled_layers", "compiled_steps"))
FLAGS = (
    "-O2", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden",
    "-shared", "-fPIC",
)  # fmt: skip
"""-O3 makes a second version of loops over rows, for which GCC keeps sums in memory: half as fast."""
COMPILERS = ("cc", "gcc", "clang")
SECONDS = 300
"""Most that a compiler may take; it takes two on an idle machine."""


class NotCompiledError(RuntimeError):
    """Report that there are no compiled functions on this machine, and why."""


@cache
def library() -> ctypes.CDLL | None:
    """Return the functions of `SOURCES`; None, with a warning, where they cannot be compiled."""
    try:
        return load(_cache())
    except NotCompiledError as error:
        logger.warning(
            "training on the CPU goes frame by frame in NumPy, several times slower, with the same values up "
            "to rounding: %s", error,
        )  # fmt: skip
        return None


def load(directory: Path, processor: str | None = None) -> ctypes.CDLL:
    """Load the functions from a directory, into which they are compiled if they are not there.

    processor: flags of the compiler for another one than this machine's.

    Raises:
        NotCompiledError: no compiler, or what it made does not load.
    """
    path = directory / f"{_key(processor)}.so"
    try:
        with suppress(OSError):  # it is not there, or a crash of the machine left a part of it: made again
            return _declared(ctypes.CDLL(str(path)))
        directory.mkdir(parents=True, exist_ok=True)
        # processes may compile at the same time: each moves a finished file to where it belongs
        with tempfile.TemporaryDirectory(dir=directory) as folder:
            made = _compile(Path(folder), processor)
            loaded = _declared(ctypes.CDLL(str(made)))
            made.replace(path)
        return loaded
    except OSError as error:
        raise NotCompiledError(f"{path}: {error}") from None


def _compile(folder: Path, processor: str | None) -> Path:
    """Compile for a processor, this machine's by default."""
    compiler = os.environ.get("CC") or next(filter(shutil.which, COMPILERS), None)
    if compiler is None:
        raise NotCompiledError(
            f"there is no C compiler ({', '.join(COMPILERS)}); install one, as by `apt install gcc`, or name "
            "it in the variable CC"
        )
    made = folder / "made.so"
    own = "-mcpu=native" if platform.machine() in ("arm64", "aarch64") else "-march=native"
    sources = [str(path) for folder in SOURCES for path in sorted(folder.glob("*.c"))]
    command = [*compiler.split(), *(processor or own).split(), *FLAGS, *sources, "-o", str(made)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise NotCompiledError(f"{' '.join(command)} took more than {SECONDS} s") from None
    if done.returncode:
        said = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()
        wrong = next((line for line in said if "error" in line), said[0])
        raise NotCompiledError(f"{' '.join(command)} failed: {wrong}")
    return made


def _key(processor: str | None = None) -> str:
    """Return what tells compiled files apart: of other source, or for another processor."""
    files = [path for folder in SOURCES for path in sorted(folder.glob("*.[ch]"))]
    about = [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in files]
    about += [*FLAGS, platform.machine(), platform.system(), processor or ""]
    machine = Path("/proc/cpuinfo")
    if machine.is_file():  # where homes are shared, machines are not all alike
        lines = machine.read_text(encoding="utf-8", errors="replace").splitlines()
        about += sorted({line for line in lines if line.startswith(("flags", "Features", "model name"))})
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:32]


def _cache() -> Path:
    """Return the user's folder for what can be made again, or one for all where there is no home."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "emobed"
    except RuntimeError:
        raise NotCompiledError("there is no home directory; set XDG_CACHE_HOME") from None


def longs(values: Sequence[int]) -> Any:
    """Return numbers as the functions take them."""
    return (ctypes.c_long * len(values))(*values)


def _declared(loaded: ctypes.CDLL) -> ctypes.CDLL:
    """Say what the functions take: `long`s and pointers, in the order of the sources."""
    sizes, pointers = ctypes.POINTER(ctypes.c_long), ctypes.POINTER(ctypes.c_void_p)
    any_pointer = ctypes.c_void_p
    for function in (loaded.gru_bytes, loaded.gru_kept):
        function.argtypes, function.restype = [sizes], ctypes.c_long
    loaded.gru_forward.argtypes = [sizes, sizes, any_pointer, pointers, *[any_pointer] * 3]
    loaded.gru_backward.argtypes = [
        sizes,
        sizes,
        any_pointer,
        pointers,
        *[any_pointer] * 4,
        pointers,
        any_pointer,
    ]
    loaded.squares.argtypes, loaded.adam.argtypes = [sizes, *[any_pointer] * 2], [sizes, *[any_pointer] * 6]
    for function in (loaded.gru_forward, loaded.gru_backward, loaded.squares, loaded.adam):
        function.restype = None
    declare(loaded)
    return loaded
