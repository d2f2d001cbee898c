"""Where a table is written before it is whole, and what becomes of it if its writer is killed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def partial_of(directory: Path) -> Path:
    """Return the empty folder beside a table in which this process writes it, to be renamed at the end."""
    clear_partial(directory.parent)
    partial = directory.with_name(f".{directory.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def clear_partial(folder: Path) -> None:
    """Remove the half-written tables in a folder whose writers were killed.

    The stage that left one behind need not run again: DVC may take its table from the cache.
    """
    for path in folder.glob(".*.partial"):
        try:
            os.kill(int(path.name.split(".")[-2]), 0)
        except (ValueError, ProcessLookupError):
            shutil.rmtree(path, ignore_errors=True)
        except PermissionError:  # somebody else's process
            continue
