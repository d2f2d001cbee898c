"""The last version of a feature table, kept aside: one more recording rewrites one file, not all.

DVC removes the outs of a stage before it runs. `register`, which runs first, links the files of the
tables that are there into the store (a link takes no space); the stage copies what did not
change from there. Nothing is trusted: a file is taken over only if its sha256 and the keys of its
recordings are what they would become.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.store.damage import NO_DAMAGE, Damage
from pipeline.store.digest import sha256_of
from pipeline.store.units import UnitStore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pipeline.store.packing import Unit

logger = logging.getLogger(__name__)


def kept_folder(store: UnitStore, directory: Path) -> Path:
    """Return where the last version of the table in `directory` is kept; each checkout has its own."""
    return store.root / ".tables" / hashlib.sha256(str(directory.absolute()).encode()).hexdigest()[:16]


def keep_table(store: UnitStore, directory: Path) -> None:
    """Keep the table in `directory` as its last version; its index was read by `read_index`.

    Kept for speed only: where the store cannot be written, or lies on another disk than the data
    (links end there, and copies would take the space twice), nothing is kept.
    """
    folder = kept_folder(store, directory)
    index = (directory / "index.json").read_bytes()
    try:
        if (folder / "index.json").read_bytes() == index:
            return
    except OSError:
        pass
    partial = folder.with_name(f"{folder.name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for name in json.loads(index)["files"]:
            os.link(directory / name, partial / name)
        # of the index a copy: `keep_table` compares it, so it must not change with the original
        (partial / "index.json").write_bytes(index)
        (partial / "of").write_text(str(directory.absolute()), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except OSError as error:
        level = logging.DEBUG if error.errno in (errno.EXDEV, errno.EROFS) else logging.INFO
        logger.log(level, "%s: its last version is not kept: %s", directory, error)
        shutil.rmtree(partial, ignore_errors=True)


@dataclass(frozen=True)
class KeptTable:
    """The last version of a table: its folder and its index, empty if there is none."""

    folder: Path
    index: dict[str, Any]
    members: dict[str, dict[str, dict[str, Any]]]

    @classmethod
    def open(cls, store: UnitStore, directory: Path) -> KeptTable:
        """Open what was kept of the table in `directory`."""
        # imported here: `register` only keeps tables, and should not wait for pyarrow
        from pipeline.store.packing import FORMAT

        folder = kept_folder(store, directory)
        try:
            index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            index = {}
        if index.get("format") != FORMAT:
            index = {}
        members: dict[str, dict[str, dict[str, Any]]] = {}
        for name, entry in index.get("recordings", {}).items():
            members.setdefault(entry["file"], {})[name] = entry
        return cls(folder, index, members)

    def take(
        self, path: Path, units: Sequence[Unit], names: tuple[str, ...] | None
    ) -> dict[str, dict[str, Any]] | None:
        """Copy a file to `path` if it would hold just these units; returns their index entries, or None.

        names: the features it must have; None: any.
        """
        entries = self.members.get(path.name)
        if entries is None or {unit.recording: unit.key for unit in units} != {
            name: entry["key"] for name, entry in entries.items()
        }:
            return None
        if names is not None and names != self.names:
            return None
        try:
            # a copy, never a link: what is done to an out must not reach what is kept
            shutil.copyfile(self.folder / path.name, path)
        except OSError:
            path.unlink(missing_ok=True)
            return None
        if sha256_of(path) != self.index["files"][path.name]:
            path.unlink()
            return None
        return entries

    def valid(self, unit: Unit) -> NDArray[np.bool_] | None:
        """Return `valid` of a unit's rows, (rows,), or None if the table did not hold just this unit.

        Units of one file asked for one after the other cost one reading.
        """
        entry = self.index.get("recordings", {}).get(unit.recording)
        if entry is None or entry["key"] != unit.key:
            return None
        groups = _valid_of_file(self.folder / entry["file"], self.index["files"][entry["file"]])
        if groups is None:
            return None
        return groups[entry["row_group"]][entry["first"] : entry["first"] + entry["rows"]]

    def damage(self, unit: Unit) -> Damage | None:
        """Return the damage of a unit's medium, or None if the table did not hold just this unit."""
        entry = self.index.get("recordings", {}).get(unit.recording)
        if entry is None or entry["key"] != unit.key:
            return None
        return Damage(*entry.get("damage", NO_DAMAGE))

    def file_of(self, recording: str) -> str:
        """Return the file that held a recording, empty if none did."""
        return str(self.index.get("recordings", {}).get(recording, {}).get("file", ""))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the features."""
        return tuple(self.index.get("features", ()))


@lru_cache(maxsize=1)
def _valid_of_file(path: Path, sha256: str) -> list[NDArray[np.bool_]] | None:
    """Read `valid` of each row group of a kept file, None if the file is not what its index says."""
    from pipeline.store.packing import read_valid

    try:
        payload = path.read_bytes()
    except OSError:
        return None
    return read_valid(payload) if hashlib.sha256(payload).hexdigest() == sha256 else None
