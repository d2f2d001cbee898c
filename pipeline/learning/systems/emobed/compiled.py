"""Functions compiled on this machine for its processor, once: kept in the user's cache.

Training runs without them, several times slower: where they cannot be made a warning says so.
"""

from __future__ import annotations

import ctypes
import logging
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.learning.systems.emobed.compiled_check import computes
from pipeline.learning.systems.emobed.compiled_files import (
    MAKING,
    cache_folder,
    clear,
    key,
    name_of,
    whole_files,
)
from pipeline.learning.systems.emobed.compiled_steps import declare
from pipeline.learning.systems.emobed.compiler import Compiler, CompilerFailedError, NotCompiledError

logger = logging.getLogger(__name__)


class UnloadableError(NotCompiledError):
    """Report that a library cannot be loaded from where it lies."""


@cache
def library() -> ctypes.CDLL | None:
    """Return the functions of `SOURCES`; None, with a warning, where they cannot be compiled."""
    try:
        return load(cache_folder())
    except NotCompiledError as error:
        logger.warning(
            "training on the CPU goes frame by frame in NumPy, several times slower, with the same values up "
            "to rounding: %s", error,
        )  # fmt: skip
        return None


def load(folder: Path | None, processor: str | None = None) -> ctypes.CDLL:
    """Load the functions from a folder, for which they are compiled if they are not there.

    folder: None where nothing can be kept. processor: flags of the compiler for another one than this
    machine's.

    Raises:
        NotCompiledError: no compiler, or what it made does not load.
    """
    stem = key(processor)
    try:
        compiler = Compiler.found()
        own = f"{stem}-{compiler.digest}"
        return _kept(folder, own) or _made(folder, own, compiler, processor)
    except NotCompiledError:
        # what another compiler made of the same source is as right
        other = _kept(folder, stem)
        if other is None:
            raise
        return other


def _kept(folder: Path | None, stem: str) -> ctypes.CDLL | None:
    """Return what was kept under such a name and can be loaded."""
    for path in () if folder is None else whole_files(folder, stem):
        try:
            return _opened(path)
        except NotCompiledError as error:
            logger.debug("%s", error)
    return None


def _made(folder: Path | None, stem: str, compiler: Compiler, processor: str | None) -> ctypes.CDLL:
    """Compile and keep the functions; where they cannot be kept, for this process only, with a warning."""
    why = "there is no home directory"
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            clear(folder)
            # processes may compile at the same time: each moves a finished file to where it belongs
            with _temporary(folder) as own:
                made = compiler.compile(Path(own), processor)
                loaded = _checked(_opened(made), compiler)
                made.replace(folder / name_of(made, stem))
                return loaded
        except (OSError, CompilerFailedError, UnloadableError) as error:
            why = str(error)
    try:
        with _temporary(None) as own:
            loaded = _checked(_opened(compiler.compile(Path(own), processor)), compiler)
    except (OSError, UnloadableError) as error:
        raise NotCompiledError(f"{why}; elsewhere: {error}") from None
    logger.warning(
        "the compiled functions of training cannot be kept%s, so that every process compiles them again, in "
        "some seconds: %s; set XDG_CACHE_HOME to a folder that can be written and executed",
        f" in {folder}" if folder else "", why,
    )  # fmt: skip
    return loaded


def _temporary(folder: Path | None) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=MAKING, dir=folder, ignore_cleanup_errors=True)


def _opened(path: Path) -> ctypes.CDLL:
    """Load a library.

    Raises:
        UnloadableError: the system refuses it, or it lacks functions.
    """
    try:
        return _declared(ctypes.CDLL(str(path)))
    except (OSError, AttributeError) as error:
        raise UnloadableError(f"it does not load: {error}") from None


def _checked(loaded: ctypes.CDLL, compiler: Compiler) -> ctypes.CDLL:
    """Return what a compiler made if it computes what it should."""
    if not computes(loaded):
        raise NotCompiledError(
            f"what `{' '.join(compiler.command)}` makes computes other values; name another compiler in CC"
        )
    return loaded


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
