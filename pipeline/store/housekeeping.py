"""What lies in the store of finished units, what of it is whole, and what may go.

A unit is in use if a table or a model names its key, in this checkout or in another one that shares the
store (`features/store_roots.py`): the index.json of each feature table, the units.json beside each
model. Everything else is stale: results of earlier parameters, which cost their extraction again if
somebody goes back to them.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.store.roots import FORGET_AFTER, TABLES, Checkout, Keys, checkouts, used_keys
from pipeline.store.tables import FeatureTable, TableError
from pipeline.store.units import DAY, UnitStore, intact


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

    missing: how many units this checkout names that are not in the store, by kind (a clone that
    pulled tables has none until `register` runs). leftovers: files that killed writers left.
    checkouts: which share the store, this one first.
    """

    kinds: dict[str, KindStatus] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    leftovers: list[Path] = field(default_factory=list)
    checkouts: list[Checkout] = field(default_factory=list)


@dataclass(frozen=True)
class Removal:
    """What `prune` removes: stale units and leftovers.

    payload: of these units, bytes. kept: of the units that stay, bytes; used: of those among them that are
    in use. forgotten: checkouts that are gone, which the store no longer lists.
    """

    units: list[Path]
    leftovers: list[Path]
    payload: int
    kept: int = 0
    used: int = 0
    forgotten: tuple[Checkout, ...] = ()


def status(store: UnitStore, root: Path, forget_after: float = FORGET_AFTER) -> StoreStatus:
    """Count the units of a store, and those in use by the checkout in `root` and those that share the store.

    forget_after: days without a stage after which another checkout counts no longer.

    Raises:
        ValueError: as `checkouts`.
    """
    sharing = checkouts(store, root, forget_after)
    used = _used(sharing)
    found = StoreStatus(leftovers=list(_leftovers(store)), checkouts=sharing)
    seen: dict[str, set[str]] = {}
    for kind, path in _units(store):
        entry = found.kinds.setdefault(kind, KindStatus())
        size = path.stat().st_size
        entry.units += 1
        entry.payload += size
        seen.setdefault(kind, set()).add(path.name)
        if path.name in used.get(kind, ()):
            entry.used += 1
        else:
            entry.stale_payload += size
    found.missing = {kind: len(keys - seen.get(kind, set())) for kind, keys in used_keys(root).items()}
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


def prune(
    store: UnitStore,
    root: Path,
    older_than: float,
    delete: bool,
    max_size: float | None = None,
    forget_after: float = FORGET_AFTER,
) -> Removal:
    """Find stale units that nobody used for `older_than` days, and leftovers; delete them if asked to.

    Units that are put while this runs are younger than that and stay, as are units in use. Stages
    wait until deleting has ended.

    max_size: bytes; only as many units, those not used for longest first, as bring the units down to it.
    forget_after: days without a stage after which another checkout counts no longer.

    Raises:
        StoreError: a stage is running, or the store cannot be written or locked.
        ValueError: as `checkouts`.
    """
    if not store.root.is_dir():
        return Removal([], [], 0)
    with store.alone():
        latest = time.time() - older_than * DAY
        sharing = checkouts(store, root, forget_after)
        used = _used(sharing)
        stale: list[tuple[float, Path, int]] = []
        kept = in_use = 0
        for kind, path in _units(store):
            stat = path.stat()
            kept += stat.st_size
            if path.name in used.get(kind, ()):
                in_use += stat.st_size
            elif stat.st_mtime <= latest:
                stale.append((stat.st_mtime, path, stat.st_size))
        units, payload = [], 0
        for _, path, size in sorted(stale):
            if max_size is not None and kept <= max_size:
                break
            units.append(path)
            payload += size
            kept -= size
        leftovers = list(_leftovers(store))
        forgotten = tuple(each for each in sharing if each.standing == "gone")
        if delete:
            for path in [*units, *(path for checkout in forgotten for path in checkout.registered)]:
                path.unlink(missing_ok=True)
            for path in leftovers:
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    return Removal(units, leftovers, payload, kept, in_use, forgotten)


def _used(sharing: list[Checkout]) -> Keys:
    """Return the keys of all checkouts that count, by kind."""
    used: Keys = {}
    for checkout in sharing:
        for kind, keys in checkout.keys.items() if checkout.counts else ():
            used.setdefault(kind, set()).update(keys)
    return used


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
    for path in sorted((store.root / ".roots").glob(".*")):
        if path.stat().st_mtime < time.time() - 60:  # written within moments
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
