"""Bytes -> a file that is either the old one or the new one, and untouched if nothing changed."""

from __future__ import annotations

from pathlib import Path

TEMPORARY = ".{name}.tmp"


def write_if_changed(path: Path, data: bytes) -> bool:
    """Write `data` unless the file holds it already; say whether it was written.

    The new file is renamed onto the old one, so a read-only file or a hard link into a cache is
    replaced, not written through. A temporary file left by a killed run has a fixed name and is
    overwritten by the next.

    Raises:
        OSError: the folder cannot be written.
    """
    temporary = path.with_name(TEMPORARY.format(name=path.name))
    try:
        if path.read_bytes() == data:
            temporary.unlink(missing_ok=True)
            return False
    except OSError:
        path.parent.mkdir(parents=True, exist_ok=True)
    temporary.write_bytes(data)
    temporary.replace(path)
    return True
