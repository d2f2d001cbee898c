"""Content-addressed units: what was computed once is never computed again.

A unit is the result for one recording (or one trained model) under a key that hashes everything it
depends on. The store lies outside DVC's outs, so that `dvc repro`, which deletes outs, loses
nothing. Each unit is one file: the hex sha256 of its payload, a line feed, the payload. It is
written under a temporary name and renamed, so that a reader sees a whole unit or none.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

logger = logging.getLogger(__name__)

DIGEST = 64
"""Length of the hash line without its line feed."""
DAY = 86_400.0
"""Seconds; the last use of a unit is noted no more often."""


class StoreError(OSError):
    """Report that the store cannot be written: where, why, what to do."""


def unit_key(**parts: Any) -> str:
    """Return the key of a unit: sha256 over its named parts as canonical JSON.

    Raises:
        TypeError: a part is not JSON.
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class UnitStore:
    """Units of several kinds (audio, faces, models, ...) below `root`."""

    root: Path

    def path(self, kind: str, key: str) -> Path:
        """Return where a unit lies; 256 folders per kind keep each folder small.

        Raises:
            ValueError: the key is a path, which might lead out of the store.
        """
        if "/" in key or key.startswith("."):
            raise ValueError(f"{self.root}: {key!r} is no key of a unit")
        return self.root / kind / key[:2] / key

    def has(self, kind: str, key: str) -> bool:
        """Say whether a unit is there, without reading it."""
        return self.path(kind, key).is_file()

    def keys(self, kind: str) -> set[str]:
        """Return the keys of all units of a kind; for thousands far faster than asking for each."""
        found: set[str] = set()
        with suppress(FileNotFoundError), os.scandir(self.root / kind) as folders:
            for folder in folders:
                with suppress(NotADirectoryError), os.scandir(folder) as files:
                    found.update(file.name for file in files if not file.name.startswith("."))
        return found

    def get(self, kind: str, key: str) -> bytes | None:
        """Return the payload of a unit, or None if it is not there or damaged.

        A damaged unit (hash differs from its payload) is named in the log and removed; whoever asked
        makes it anew, or `register` takes it from a table that was pulled.
        """
        path = self.path(kind, key)
        try:
            blob = path.read_bytes()
        except FileNotFoundError:
            return None
        if not intact(blob):
            logger.warning("%s: damaged unit (its sha256 does not fit), it is made anew", path)
            with suppress(OSError):  # a store that cannot be written keeps it
                path.unlink()
            return None
        self.mark_used(kind, key)
        return blob[DIGEST + 1 :]

    def mark_used(self, kind: str, key: str) -> None:
        """Note in a unit's time of change that it was used, if that is older than a day."""
        path = self.path(kind, key)
        with suppress(OSError):  # a store that cannot be written, or a unit that is not there
            if time.time() - path.stat().st_mtime > DAY:
                os.utime(path)

    def put(self, kind: str, key: str, payload: bytes) -> None:
        """Write a unit atomically.

        Raises:
            StoreError: the disk is full or the store is not writable.
        """
        path = self.path(kind, key)
        temporary = path.with_name(f".{key}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(hashlib.sha256(payload).hexdigest().encode() + b"\n" + payload)
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            except OSError:
                temporary.unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self.refusal(error, f"a unit of {len(payload)} bytes") from error

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep `prune` out while a stage runs; any number of stages share the store.

        The lock is the kernel's and ends with the process, however that ends.

        Raises:
            StoreError: the store can be written and its file system has no locks, or none that exclude.
        """
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            file = self._lock_file()
        except OSError:  # a store that cannot be written cannot be pruned from here either
            yield
            return
        with file:
            try:
                self._lock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                logger.warning("%s: is being pruned; waiting for it to end", self.root)
                self._lock(file, fcntl.LOCK_SH)
            self._require_exclusion()
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep stages out while units are deleted.

        Raises:
            StoreError: a stage is running, the store cannot be written, or its file system has no locks.
        """
        try:
            file = self._lock_file()
        except OSError as error:
            raise self.refusal(error, "its lock") from error
        with file:
            try:
                self._lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise StoreError(
                    error.errno,
                    f"{self.root}: a stage is running and uses the store; try again when it has ended",
                ) from None
            self._require_exclusion()
            yield

    def refusal(self, error: OSError, what: str) -> StoreError:
        """Say in one sentence why `what` could not be written and what helps."""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            text = f"no space left for {what}; free some and run again, units are kept"
        elif error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            text = "the store is not writable; set runtime.store in params.yaml to a folder that is"
        else:
            text = f"{what.partition(' of ')[0]} could not be written: {error}"
        return StoreError(error.errno, f"{self.root}: {text}")

    def _lock_file(self) -> IO[str]:
        """Open the lock for reading and writing: NFS gives a shared lock only to readers."""
        return (self.root / ".lock").open("a+")

    def _lock(self, file: IO[str], how: int) -> None:
        """Take a lock.

        Raises:
            BlockingIOError: another process holds it.
            StoreError: the file system has no locks.
        """
        try:
            fcntl.flock(file, how)
        except BlockingIOError:
            raise
        except OSError as error:
            raise StoreError(
                error.errno,
                f"{self.root}: its file system cannot lock files ({error.strerror}); {_ELSEWHERE}",
            ) from None

    def _require_exclusion(self) -> None:
        """Ask for the lock that is held a second time, for this process alone: it must be refused.

        Raises:
            StoreError: it was granted.
        """
        with self._lock_file() as second:
            try:
                self._lock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
        raise StoreError(
            errno.ENOLCK,
            f"{self.root}: its file system grants a lock that is held a second time, so that a prune could "
            f"delete what a stage writes; {_ELSEWHERE}",
        )


_ELSEWHERE = (
    "set runtime.store in params.yaml to a folder on a local disk (/scratch/emobed), or on a share with locks"
)


def intact(blob: bytes) -> bool:
    """Say whether the bytes of a unit's file are the ones that were written."""
    return hashlib.sha256(blob[DIGEST + 1 :]).hexdigest().encode() == blob[:DIGEST]
