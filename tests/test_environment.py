"""Stages started by a Python that is not the project's: `dvc` by its path, and `python` from PATH."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import ROOT

PARAMETERS = (
    "annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection", "yaml",
)  # fmt: skip
"""What the project's parameters need of other packages."""


def started(packages: Path, *code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Start Python with the packages of a folder alone."""
    env = {k: v for k, v in os.environ.items() if k != "EMOBED_DEBUG"} | {"PYTHONPATH": str(packages)}
    command = [sys.executable, "-S", *code]
    return subprocess.run(
        command, cwd=ROOT, env=env | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def packages(tmp_path) -> Path:
    """Return a folder with some of the packages that a stage needs."""
    for name in PARAMETERS:
        origin = Path(find_spec(name).origin)
        found = origin.parent if origin.name == "__init__.py" else origin
        (tmp_path / found.name).symlink_to(found)
    return tmp_path


@pytest.mark.parametrize("stage", ["register", "train", "summary"])
def test_a_package_that_is_not_there_is_a_sentence(stage, packages):
    done = started(packages, "-m", f"stages.{stage}", "demo_clips")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{sys.executable}: No module named '")
    assert "`source .venv/bin/activate`" in line


def test_so_is_a_package_of_another_version_and_debugging_shows_the_traceback(packages):
    (packages / "pydantic").unlink()
    (packages / "pydantic.py").touch()
    done = started(packages, "-m", "stages.register", "demo_clips")
    (line,) = done.stderr.splitlines()
    assert "cannot import name" in line
    assert "from 'pydantic'" in line
    assert "Traceback" in started(packages, "-m", "stages.register", EMOBED_DEBUG="1").stderr


def test_a_module_of_ours_that_cannot_be_imported_is_no_matter_of_the_environment(packages):
    for code in ("import stages, pipeline.nothing", "import stages; from pipeline.paths import nothing"):
        assert "Traceback" in started(packages, "-c", code).stderr


def test_an_older_python_is_a_sentence(packages):
    code = "import sys; sys.version_info = (3, 9, 2); import stages"
    done = started(packages, "-c", code)
    (line,) = done.stderr.splitlines()
    assert f"{sys.executable} is Python 3.9, expected 3.11 or later" in line


def test_out_of_a_checkout_nobody_is_told_to_make_an_environment(packages, tmp_path_factory):
    """A wheel's stages lie beside no dvc.yaml: its environment is whatever pip installs into."""
    elsewhere = tmp_path_factory.mktemp("wheel")
    (elsewhere / "stages").mkdir()
    (elsewhere / "stages/__init__.py").write_text((ROOT / "stages/__init__.py").read_text())
    (packages / "stages").symlink_to(elsewhere / "stages")
    done = subprocess.run(
        [sys.executable, "-S", "-c", "import stages, not_there"],
        cwd=elsewhere, env={"PYTHONPATH": str(packages)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "ModuleNotFoundError: No module named 'not_there'" in done.stderr
    assert "make setup" not in done.stderr
