"""Fetch a damaged out again: `python -m stages.repull data/features/recola/audio`.

DVC trusts an object in its cache whose mode is 0444, whatever it holds: `dvc pull` and `dvc checkout` would
bring the damage back. So the objects of the out are compared with their md5 and the wrong ones removed first.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

DVC = (sys.executable, "-m", "dvc")


def repull(path: str) -> None:
    """Remove the out from the workspace and its damaged objects from the cache, then `dvc pull` it."""
    lock = yaml.safe_load(Path("dvc.lock").read_text(encoding="utf-8"))
    outs = {out["path"]: out["md5"] for stage in lock["stages"].values() for out in stage.get("outs", [])}
    wanted = Path(path).as_posix()
    # a table may lie in an out that holds several
    path = next((out for out in outs if Path(wanted).is_relative_to(out)), "")
    if not path:
        raise SystemExit(f"{wanted}: no out in dvc.lock; expected one of {', '.join(sorted(outs))}")
    for damaged in _damaged_objects(outs[path]):
        print(f"{damaged}: damaged (its md5 is not its name), removed")
        damaged.unlink()
    if Path(path).is_dir():
        shutil.rmtree(path)
    Path(path).unlink(missing_ok=True)
    if subprocess.run([*DVC, "pull", path], check=False).returncode:
        raise SystemExit(
            f"{path}: not in the remote; `dvc repro` makes it again, from finished units if they are here"
        )
    print(f"{path}: fetched again")


def _damaged_objects(md5: str) -> list[Path]:
    """Return the files of DVC's cache that belong to an out and do not hold what their name says."""
    done = subprocess.run([*DVC, "cache", "dir"], capture_output=True, text=True, check=True)
    cache = Path(done.stdout.strip()) / "files/md5"
    whole = cache / md5[:2] / md5[2:]
    if not _is_what_its_name_says(whole):
        return [whole]  # a damaged list of files names none of them: the next run finds theirs
    names = (
        [e["md5"] for e in json.loads(whole.read_bytes())] if md5.endswith(".dir") and whole.exists() else []
    )
    files = [cache / name[:2] / name[2:] for name in names]
    return [file for file in dict.fromkeys(files) if not _is_what_its_name_says(file)]


def _is_what_its_name_says(file: Path) -> bool:
    name = (file.parent.name + file.name).removesuffix(".dir")
    return not file.exists() or hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == name


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m stages.repull PATH")
    repull(sys.argv[1])
