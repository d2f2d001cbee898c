"""A damaged feature table -> out of the workspace and, where its objects are damaged too, out of DVC's cache.

DVC trusts its cache: a damaged object would come back with each `dvc checkout`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml


def drop_table(directory: Path) -> list[Path]:
    """Delete a table's folder and its damaged objects in DVC's cache; returns what was deleted."""
    removed = [directory]
    shutil.rmtree(directory)
    for path, md5 in _objects(directory):
        if path.is_file():
            with path.open("rb") as file:
                if hashlib.file_digest(file, "md5").hexdigest() == md5:
                    continue
            path.unlink()
            removed.append(path)
    return removed


def _objects(directory: Path) -> list[tuple[Path, str]]:
    """Return the cached objects of a folder that dvc.lock names: their path and the md5 they should have."""
    lock = Path("dvc.lock")
    if not lock.is_file():
        return []
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"].values()
    outs = {out["path"]: out["md5"] for stage in stages for out in stage.get("outs", [])}
    # a table may lie in an out that holds several
    md5 = next((md5 for out, md5 in outs.items() if directory.is_relative_to(out)), None)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "cache", "dir"], capture_output=True, text=True, check=False
    )
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
