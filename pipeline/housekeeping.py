"""What lies in the store of finished units, what of it is whole, and what may go.

A unit is in use if a table or a model on disk in this checkout names its key: the index.json of
each feature table, the units.json beside each model. Everything else is stale: results of earlier
parameters, which cost their extraction again if somebody goes back to them.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.features.store import UnitStore, intact
from pipeline.features.tables import FeatureTable, TableError

DAY = 86_400.0
TABLES = {
    "audio": "*/audio",
    "faces": "*/faces",
    "embeddings": "*/embeddings",
    "video": "*/video",
    "given": "*/given/*",
}
"""Kinds of units of feature tables, and where below data/features these lie."""


@dataclass
class KindStatus:
    """Units of one kind: how many and how large, in all and of them stale; `payload` in bytes."""

    units: int = 0
    payload: int = 0
    used: int = 0
    stale_payload: int = 0

    @property
    def stale(self) -> int:
        """Return how many are not in use."""
        return self.units - self.used


@dataclass
class StoreStatus:
    """What lies in a store.

    missing: how many units the checkout names that are not in the store, by kind (a clone that
    pulled tables has none until `register` runs). leftovers: files that killed writers left.
    """

    kinds: dict[str, KindStatus] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    leftovers: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Removal:
    """What `prune` removes: stale units and leftovers, and how many bytes that is."""

    units: list[Path]
    leftovers: list[Path]
    payload: int


def used_keys(root: Path) -> dict[str, set[str]]:
    """Return the keys that the tables and models of a checkout name, by kind.

    Raises:
        ValueError: an index.json or units.json cannot be read; nothing can be called stale then.
    """
    used: dict[str, set[str]] = {kind: set() for kind in (*TABLES, "models")}
    for kind, folders in TABLES.items():
        for path in (root / "data/features").glob(f"{folders}/index.json"):
            index = _json(path)
            used[kind] |= {entry["key"] for entry in index["recordings"].values()}
            used[kind] |= index.get("about", {}).get("contents", {}).keys()
    for path in (root / "data/models").glob("*/*/units.json"):
        used["models"] |= set(_json(path))
    return used


def status(store: UnitStore, root: Path) -> StoreStatus:
    """Count the units of a store, and those in use by the checkout in `root`.

    Raises:
        ValueError: as `used_keys`.
    """
    used = used_keys(root)
    found = StoreStatus(leftovers=list(_leftovers(store)))
    seen: dict[str, set[str]] = {}
    for kind, path in _units(store):
        entry = found.kinds.setdefault(kind, KindStatus())
        size = path.stat().st_size
        entry.units += 1
        entry.payload += size
        if path.name in used.get(kind, ()):
            entry.used += 1
            seen.setdefault(kind, set()).add(path.name)
        else:
            entry.stale_payload += size
    found.missing = {kind: len(keys - seen.get(kind, set())) for kind, keys in used.items()}
    return found


def damaged_units(store: UnitStore, advance: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """Read every unit and give those whose bytes are not the ones that were written.

    advance: called after each unit, for a bar.
    """
    for _, path in _units(store):
        with suppress(FileNotFoundError):  # removed meanwhile
            if not intact(path.read_bytes()):
                yield path
        advance()


def damaged_tables(root: Path) -> Iterator[tuple[Path, str]]:
    """Give the feature tables of a checkout that are not what their index.json says, and why."""
    folders = (
        path.parent
        for tables in TABLES.values()
        for path in (root / "data/features").glob(f"{tables}/index.json")
    )
    for directory in sorted(folders):
        try:
            FeatureTable.open(directory)
        except (TableError, ValueError, KeyError) as error:
            yield directory, str(error)


def prune(store: UnitStore, root: Path, older_than: float, delete: bool) -> Removal:
    """Find stale units that nobody wrote for `older_than` days, and leftovers; delete them if asked to.

    Units that are put while this runs are younger than that and stay, as are units in use. Stages
    wait until deleting has ended.

    Raises:
        StoreError: a stage is running.
        ValueError: as `used_keys`.
    """
    if not store.root.is_dir():
        return Removal([], [], 0)
    with store.alone():
        used = used_keys(root)
        latest = time.time() - older_than * DAY
        units, payload = [], 0
        for kind, path in _units(store):
            stat = path.stat()
            if path.name not in used.get(kind, ()) and stat.st_mtime <= latest:
                units.append(path)
                payload += stat.st_size
        leftovers = list(_leftovers(store))
        if delete:
            for path in units:
                path.unlink(missing_ok=True)
            for path in leftovers:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return Removal(units, leftovers, payload)


def _units(store: UnitStore) -> Iterator[tuple[str, Path]]:
    """Give kind and path of every unit, sorted."""
    if not store.root.is_dir():
        return
    for folder in sorted(path for path in store.root.iterdir() if path.is_dir() and path.name[0] != "."):
        for key in sorted(store.keys(folder.name)):
            yield folder.name, store.path(folder.name, key)


def _leftovers(store: UnitStore) -> Iterator[Path]:
    """Give what nobody will finish or use: temporary files of dead processes, tables of removed checkouts."""
    for path in sorted(store.root.glob("*/*/.*")):
        parts = path.name.split(".")  # .<key>.<process>.<random>
        if path.is_file() and len(parts) == 4 and not _alive(parts[2], path):
            yield path
    for path in sorted((store.root / ".tables").glob("*")):
        of = path / "of"
        if not of.is_file() or not Path(of.read_text(encoding="utf-8")).parent.parent.is_dir():
            yield path


def _alive(process: str, path: Path) -> bool:
    """Say whether the writer of a temporary file may live; on other machines for a day at most."""
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return path.stat().st_mtime > time.time() - 60  # a shared store: the writer may be elsewhere
    except PermissionError:
        pass
    return path.stat().st_mtime > time.time() - DAY


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(
            f"{path}: cannot be read ({error}); run `dvc checkout --force {path.parent}`"
        ) from None
