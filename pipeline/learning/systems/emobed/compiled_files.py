"""Compiled libraries in the user's cache, whose names say what they are made of and what they contain."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pipeline.learning.systems.emobed.compiler import FLAGS, SOURCES

MAKING = "making-"
"""How folders begin in which a library is made; that of a killed process stays behind."""
LEFT_BEHIND = 24 * 3600
"""Seconds after which nobody is compiling in such a folder."""
OF_PROCESSORS = ("flags", "Features", "model name", "CPU ", "isa", "cpu\t")
"""Beginnings of the lines of /proc/cpuinfo that tell kinds of processors apart."""


def cache_folder() -> Path | None:
    """Return the user's folder for what can be made again, None where there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    try:
        above = Path(named) if Path(named).is_absolute() else Path.home() / ".cache"
    except RuntimeError:
        return None
    return above / "emobed"


def key(processor: str | None = None) -> str:
    """Return what tells libraries apart: other source or flags, another processor, system or C library.

    Homes are shared by machines that are not all alike. Where nothing tells their processors apart, their
    names do.
    """
    files = [path for folder in SOURCES for path in sorted(folder.glob("*.[ch]"))]
    about = [f"{path.name}\n{path.read_text(encoding='utf-8')}" for path in files]
    about += [*FLAGS, platform.machine(), platform.system(), *platform.libc_ver(), processor or ""]
    about.append(str(struct.calcsize("P")))
    machine = Path("/proc/cpuinfo")
    if machine.is_file():
        lines = machine.read_text(encoding="utf-8", errors="replace").splitlines()
        about += sorted({line for line in lines if line.startswith(OF_PROCESSORS)}) or [platform.node()]
    else:
        about.append(platform.node())
    return hashlib.sha256("\n".join(about).encode()).hexdigest()[:24]


def name_of(made: Path, stem: str) -> str:
    """Return the name under which a file is kept: it ends in a digest of what the file contains."""
    return f"{stem}-{hashlib.sha256(made.read_bytes()).hexdigest()[:24]}.so"


def whole_files(folder: Path, stem: str) -> Iterator[Path]:
    """Yield the files whose names begin so and that contain what they say.

    A file of which a crash or a full disk left a part would end this process when it is loaded.
    """
    with suppress(OSError):
        for path in sorted(folder.glob(f"{stem}-*.so")):
            with suppress(OSError):
                if name_of(path, path.stem.rpartition("-")[0]) == path.name:
                    yield path


def clear(folder: Path) -> None:
    """Remove what processes left behind that were killed while they compiled."""
    for left in folder.glob(f"{MAKING}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_BEHIND:
                shutil.rmtree(left, ignore_errors=True)
