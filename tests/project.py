"""A copy of the project in a folder of its own, with a corpus small enough to run within a test."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT
from tests.parameters import write_parameters

CODE = ("pipeline", "stages", "dvc.yaml", ".dvcignore", ".gitignore")
DVC_CONFIG = "[core]\n    analytics = false\n    check_update = false\n"
"""Not the checkout's own, which names the user's remote once features are shared."""


@dataclass(frozen=True)
class Project:
    """A checkout with its own git, DVC and parameters (those of the tests)."""

    root: Path

    @classmethod
    def create(cls, root: Path, edit: Callable[[dict[str, Any]], None]) -> Project:
        root.mkdir(parents=True)
        for name in CODE:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=shutil.ignore_patterns("__pycache__", "dvc.lock"))
            else:
                shutil.copy(source, root / name)
        write_parameters(root, edit)
        (root / ".dvc").mkdir()
        (root / ".dvc/config").write_text(DVC_CONFIG)
        shutil.copy(ROOT / ".dvc/.gitignore", root / ".dvc/.gitignore")
        project = cls(root)
        project.git("init", "-q", "-b", "main")
        project.commit("start")
        return project

    @property
    def environment(self) -> dict[str, str]:
        known = {k: v for k, v in os.environ.items() if not k.startswith(("DVC_", "GIT_"))}
        return known | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "GIT_AUTHOR_NAME": "test",
            "GIT_AUTHOR_EMAIL": "test@example.org",
            "GIT_COMMITTER_NAME": "test",
            "GIT_COMMITTER_EMAIL": "test@example.org",
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False
        )
        assert not check or done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments).stdout

    def dvc(self, *arguments: str, check: bool = True) -> str:
        done = self.run(sys.executable, "-m", "dvc", *arguments, check=check)
        return done.stdout + done.stderr

    def repro(self, *arguments: str, check: bool = True) -> set[str]:
        """Run `dvc repro` and return the stages that really ran (the run-cache does not count)."""
        return stages_in(self.dvc("repro", *arguments, check=check))

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def edit(self, change: Callable[[dict[str, Any]], None]) -> None:
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text())
        change(params)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def units(self, kind: str) -> dict[str, int]:
        """Return the finished units of a kind and when each was written, nanoseconds."""
        folder = self.root / ".emobed/store" / kind
        return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file() and p.name[0] != "."}

    def hashes(self) -> dict[str, str]:
        """Return the md5 of every out, from the lock files."""
        locks = [yaml.safe_load((self.root / name).read_text()) for name in ("dvc.lock", "stages/dvc.lock")]
        stages = [stage for lock in locks for stage in lock["stages"].values()]
        return {o["path"]: o["md5"] for stage in stages for o in stage.get("outs", [])}


def stages_in(text: str) -> set[str]:
    """Return the stages that ran by what `dvc repro` said."""
    return set(re.findall(r"Running stage '(?:stages/dvc\.yaml:)?(\w+)@[\w-]+'", text))


def tiny_sessions(params: dict[str, Any]) -> None:
    """Make demo_sessions the only corpus, and small: seven recordings of twelve seconds, small networks."""
    params["run"]["corpora"] = ["demo_sessions"]
    sessions = params["corpora"]["demo_sessions"]
    params["corpora"] = {"demo_sessions": sessions}
    params["demo"]["demo_sessions"] = {
        "train": 3, "dev": 2, "test": 2, "duration": 12.0, "frame_rate_hz": 5.0,
    }  # fmt: skip
    sessions["grid"] = {"window": 2.4, "hop": 0.4}
    sessions["video"]["faces"]["frame_rate_hz"] = 1.25
    sessions["learning"]["network"]["hidden"] = 6
    sessions["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    sessions["learning"]["seeds"] = [1, 2]
    sessions["postprocessing"] |= {"median_windows": [1.2], "shifts": [0.4]}
    sessions["report"] |= {"tsne_points": 50, "recordings": 1}
    params["runtime"]["workers"] = 2
