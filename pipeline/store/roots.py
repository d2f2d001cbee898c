"""Which checkouts share a store, and which of its units each of them uses.

Every stage registers its checkout in the store when it starts, and when it has ended well the keys that
the tables and models there name. `prune` in any of them keeps what all of them use: also of one that lies on
another machine, and also while DVC has deleted an out that its stage is about to make again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import platform
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pipeline.store.units import DAY, UnitStore

logger = logging.getLogger(__name__)

TABLES = {
    "audio": "*/audio",
    "text": "*/text",
    "faces": "*/faces",
    "embeddings": "*/embeddings",
    "video": "*/video",
    "given": "*/given/*",
}
"""Kinds of units of feature tables, and where below data/features these lie."""
MODELS = "models"
FORGET_AFTER = 90.0
"""Days without a stage after which a checkout counts no longer."""

Keys = dict[str, set[str]]
Standing = Literal["this checkout", "in use", "not seen from here", "gone", "not used"]
"""What a checkout is to a store: the last two count no longer."""


@dataclass(frozen=True)
class Checkout:
    """A checkout that a stage ran in.

    root, host: where it lies. used: when its last stage ran, seconds since 1970. registered: where this
    is written down. keys: of the units that it uses, by kind.
    """

    root: Path
    host: str
    used: float
    standing: Standing
    registered: tuple[Path, ...]
    keys: Keys = field(repr=False)

    @property
    def counts(self) -> bool:
        """Say whether its units are in use."""
        return self.standing not in ("gone", "not used")


@contextmanager
def registered(store: UnitStore, root: Path) -> Iterator[None]:
    """Register a checkout while a stage runs, and the units that it uses when the stage has ended well.

    Call it within `store.in_use()`, so that no prune runs meanwhile. Where the store cannot be written,
    nobody learns of this checkout, which is said in the log.

    Raises:
        StoreError: the disk is full.
    """
    root = root.resolve()
    entry, named = _files(store, platform.node(), root)
    about = {"root": str(root), "host": platform.node(), "used": time.time()}
    if not _write(store, entry, about):
        yield
        return
    yield
    state = _state(root)
    before = _json(named) if named.is_file() else {}
    if before.get("state") == state:
        return
    try:
        keys = used_keys(root)
    except ValueError as error:
        logger.warning(
            "%s: the units that this checkout uses are registered as before: %s", store.root, error
        )
        return
    _write(store, named, {"state": state, "keys": {kind: sorted(own) for kind, own in keys.items()}})
    for kind, own in _keys(before).items():  # in use until now: the youngest of what is stale
        for key in own - keys.get(kind, set()):
            store.mark_used(kind, key)


def checkouts(store: UnitStore, here: Path, forget_after: float = FORGET_AFTER) -> list[Checkout]:
    """Return the checkouts that share a store with their units, the one in `here` first, by last use.

    forget_after: days without a stage after which a checkout other than `here` counts no longer.

    Raises:
        ValueError: the index of a table, or what a checkout registered, cannot be read; nothing can be
            called stale then.
    """
    here = here.resolve()
    own = Checkout(here, platform.node(), time.time(), "this checkout", (), used_keys(here))
    others = []
    for entry in sorted((store.root / ".roots").glob("*.root.json")):
        about = _json(entry)
        try:
            root, host, used = Path(about["root"]), str(about["host"]), float(about["used"])
            named = _files(store, host, root)[1]
            keys = _keys(_json(named)) if named.is_file() else {}
        except (KeyError, TypeError, ValueError, AttributeError):
            raise _unreadable(entry) from None
        if (root, host) == (here, own.host):
            # DVC deletes outs before their stage runs: what it used last is in use
            own = Checkout(here, host, used, own.standing, (entry, named), _merged(own.keys, keys))
            continue
        seen = _seen(root)
        if time.time() - used > forget_after * DAY:
            standing: Standing = "not used"
        elif seen:
            standing, keys = "in use", _merged(keys, used_keys(root))
        else:
            standing = "gone" if seen is False and host == own.host else "not seen from here"
        others.append(Checkout(root, host, used, standing, (entry, named), keys))
    return [own, *sorted(others, key=lambda each: -each.used)]


def used_keys(root: Path) -> Keys:
    """Return the keys that the tables and models of a checkout name, by kind.

    Raises:
        ValueError: an index.json or units.json cannot be read; nothing can be called stale then.
    """
    used: Keys = {kind: set() for kind in (*TABLES, MODELS)}
    for kind, path in _indices(root):
        try:
            index = _json(path)
            if kind == MODELS:
                used[kind] |= {str(key) for key in index}
            else:
                used[kind] |= {str(entry["key"]) for entry in index["recordings"].values()}
                used[kind] |= index.get("about", {}).get("contents", {}).keys()
        except FileNotFoundError:  # DVC, or a stage, removed the table meanwhile
            continue
        except (KeyError, TypeError, ValueError, AttributeError):
            raise ValueError(
                f"{path}: cannot be read; run `dvc checkout --force {path.parent}` in {root}"
            ) from None
    return used


def _indices(root: Path) -> Iterator[tuple[str, Path]]:
    """Give the files that name units, and the kind of these."""
    for kind, folders in TABLES.items():
        for path in (root / "data/features").glob(f"{folders}/index.json"):
            yield kind, path
    for folder, pattern in (("data/models", "*/*/units.json"), ("data/certainty", "*/units.json")):
        for path in (root / folder).glob(pattern):
            yield MODELS, path


def _state(root: Path) -> str:
    """Return what changes with any of the files that name units."""
    stats = []
    for _, path in _indices(root):
        with suppress(FileNotFoundError):  # removed meanwhile
            stat = path.stat()
            stats.append((str(path), stat.st_mtime_ns, stat.st_size))
    return hashlib.sha256(repr(sorted(stats)).encode()).hexdigest()


def _seen(root: Path) -> bool | None:
    """Say whether there is a checkout; None if that cannot be found out (a share that is down)."""
    try:
        (root / "params.yaml").stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return None
    return True


def _merged(one: Mapping[str, set[str]], other: Mapping[str, set[str]]) -> Keys:
    return {kind: one.get(kind, set()) | other.get(kind, set()) for kind in {*one, *other}}


def _files(store: UnitStore, host: str, root: Path) -> tuple[Path, Path]:
    """Return where a checkout and its keys are registered; the same path elsewhere is another checkout."""
    name = hashlib.sha256(f"{host}\0{root}".encode()).hexdigest()[:16]
    return store.root / ".roots" / f"{name}.root.json", store.root / ".roots" / f"{name}.keys.json"


def _keys(content: Mapping[str, Any]) -> Keys:
    return {str(kind): set(own) for kind, own in content.get("keys", {}).items()}


def _write(store: UnitStore, path: Path, content: Mapping[str, Any]) -> bool:
    """Write a file of the register whole or not at all; False where the store cannot be written."""
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        path.parent.mkdir(exist_ok=True)
        temporary.write_text(json.dumps(content) + "\n", encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOENT):
            raise store.refusal(error, "the list of checkouts") from None
        logger.warning(
            "%s: this checkout cannot be registered (%s); a prune elsewhere does not know what it uses",
            store.root,
            os.strerror(error.errno),
        )
        return False
    return True


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        raise _unreadable(path) from None


def _unreadable(path: Path) -> ValueError:
    return ValueError(f"{path}: cannot be read; delete it, then run a stage in the checkout that it was for")
