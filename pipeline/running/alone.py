"""A folder that several processes write to -> one of them at a time."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".emobed.lock"
"""An empty file that stands for a folder where folders cannot be locked."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Let one process at a time change what all share that use a folder; the others wait.

    The folder itself is locked, so that no file is left in it; NFS locks only what is open for writing, so
    there a file of it is. Whoever is killed holds nothing.

    Raises:
        OSError: there is no such folder, or its file system has no locks.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno != errno.EBADF:
                raise _without_locks(folder, error) from None
            os.close(descriptor)
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            _lock_file(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock_file(folder: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError as error:
        raise _without_locks(folder, error) from None


def _without_locks(folder: Path, error: OSError) -> OSError:
    return OSError(
        error.errno,
        f"{folder}: its file system has no locks ({error.strerror}), and two processes at once would undo "
        "what each other writes; name a folder on a local disk",
    )
