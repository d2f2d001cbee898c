"""A damaged feature table -> out of the workspace and, where its objects are damaged too, out of DVC's cache.

DVC trusts an object in its cache whose mode is 0444, whatever it holds: `dvc pull` and `dvc checkout` would
bring the damage back.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

DVC = (sys.executable, "-m", "dvc")


def drop_table(directory: Path) -> list[Path]:
    """Delete a table's folder and its damaged objects in DVC's cache; returns what was deleted."""
    removed = [directory] if directory.is_dir() else []
    shutil.rmtree(directory, ignore_errors=True)
    for path, md5 in _objects(directory):
        if path.is_file():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "md5").hexdigest() == md5:
                    continue
            path.unlink()
            removed.append(path)
    return removed


def pull_again(directory: Path) -> list[Path]:
    """Fetch a table again from the remote, without what is damaged here; returns what was deleted.

    Raises:
        ValueError: dvc.lock does not name it, or no remote is configured; nothing was deleted.
        RuntimeError: it is not in the remote.
    """
    out, _ = _out_of(directory)
    if out is None:
        raise ValueError(
            f"{directory}: no out in dvc.lock; expected one of {', '.join(sorted(_outs())) or '(none)'}"
        )
    remotes = subprocess.run([*DVC, "remote", "list"], capture_output=True, text=True, check=False)
    if not remotes.stdout.strip():
        raise ValueError(
            f"{directory}: no DVC remote is configured to fetch it from (`dvc remote add`, docs/sharing.md); "
            "`dvc repro` makes it again, from finished units if they are here"
        )
    removed = drop_table(directory)
    if subprocess.run([*DVC, "pull", out.as_posix()], check=False).returncode:
        raise RuntimeError(
            f"{out}: not in the remote; `dvc repro` makes it again, from finished units if they are here"
        )
    return removed


def _outs() -> dict[str, str]:
    """Return path -> md5 of the outs that dvc.lock names."""
    lock = Path("dvc.lock")
    if not lock.is_file():
        return {}
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values()
    return {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", []) if "md5" in out}


def _out_of(directory: Path) -> tuple[Path | None, str | None]:
    """Return the out that is this folder, or holds it, and its md5."""
    outs = _outs()
    for path in (directory, *directory.parents):
        if path.as_posix() in outs:
            return path, outs[path.as_posix()]
    return None, None


def _objects(directory: Path) -> list[tuple[Path, str]]:
    """Return the cached objects of a folder's out: their path and the md5 they should have."""
    _, md5 = _out_of(directory)
    done = subprocess.run([*DVC, "cache", "dir"], capture_output=True, text=True, check=False)
    if md5 is None or done.returncode:
        return []
    cache = Path(done.stdout.strip()) / "files/md5"
    listing = cache / md5[:2] / md5[2:]
    objects = [(listing, md5.removesuffix(".dir"))]
    try:
        files = [entry["md5"] for entry in json.loads(listing.read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return objects
    return objects + [(cache / own[:2] / own[2:], own) for own in files]
