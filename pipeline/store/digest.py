"""Files -> their sha256."""

from __future__ import annotations

import hashlib

from pipeline.location import Location

BLOCK = 1 << 20


def sha256_of(path: Location) -> str:
    """Return the sha256 of a file, read in blocks of 1 MiB.

    Raises:
        OSError: the file cannot be read.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
