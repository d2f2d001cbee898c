"""`make setup` with an interpreter that pretends: what is said while pip is at work."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

PYTHON = """#!/bin/bash
case "$*" in
  *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *pip*) sleep 3; exit {code} ;;
esac
"""


@pytest.mark.parametrize("code", [0, 3])
def test_setup_says_what_it_does_while_pip_is_quiet(tmp_path, code):
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"
    python.write_text(PYTHON.format(code=code))
    python.chmod(0o755)
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}", "SETUP_SAYS_EVERY=0.2"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode == 0) == (code == 0), done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("  ") and " after " in line]) >= 1
    assert any("some 6.6 GB" in line for line in lines)
    assert (tmp_path / ".venv/.ready").exists() == (code == 0)


RECORDER = """#!/bin/bash
case "$*" in
  *venv*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *pip*) echo "$*" >> pip.txt ;;
esac
"""


def make(folder, *arguments: str):
    if not (folder / "Makefile").exists():
        for name in ("Makefile", "pyproject.toml", "constraints.txt"):
            shutil.copy(ROOT / name, folder / name)
    python = folder / "python"
    python.write_text(RECORDER)
    python.chmod(0o755)
    given = {name: value for name, value in os.environ.items() if not name.startswith(("TORCH", "MAKE"))}
    return subprocess.run(
        ["make", *arguments, f"PYTHON={python}", "SETUP_SAYS_EVERY=0.2"],
        cwd=folder, env=given, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def calls_of_pip(folder) -> list[str]:
    return (folder / "pip.txt").read_text().splitlines()


def test_one_variable_gets_pytorch_without_cuda_from_its_own_index(tmp_path):
    done = make(tmp_path, "setup", "TORCH=cpu")
    assert done.returncode == 0, done.stderr
    assert "some 2.2 GB" in done.stdout
    (call,) = calls_of_pip(tmp_path)
    assert "--extra-index-url https://download.pytorch.org/whl/cpu " in call


def test_development_tools_come_with_what_needs_them(tmp_path):
    assert make(tmp_path, "setup", "TORCH=cpu").returncode == 0
    (call,) = calls_of_pip(tmp_path)
    assert call.endswith(".[pipeline]")
    make(tmp_path, "lint")  # there is no ruff to call
    _, call = calls_of_pip(tmp_path)
    assert call.endswith(".[dev]")
    assert "/cpu " in call
    assert make(tmp_path, "setup").returncode == 0
    assert len(calls_of_pip(tmp_path)) == 2


def test_without_the_variable_no_other_index_is_asked(tmp_path):
    assert make(tmp_path, "setup").returncode == 0
    assert not any("index" in call for call in calls_of_pip(tmp_path))
    assert "index" not in (ROOT / "constraints.txt").read_text()


def test_an_environment_keeps_its_pytorch_and_refuses_another(tmp_path):
    assert make(tmp_path, "setup", "TORCH=cpu", "TORCH_INDEX=http://mirror.test/whl").returncode == 0
    (tmp_path / ".venv/.ready").unlink()
    (tmp_path / "pip.txt").unlink()
    assert make(tmp_path, "setup", "TORCH_INDEX=http://mirror.test/whl").returncode == 0
    (call,) = calls_of_pip(tmp_path)
    assert "--extra-index-url http://mirror.test/whl/cpu " in call
    done = make(tmp_path, "setup", "TORCH=cuda")
    assert done.returncode != 0
    assert (
        "TORCH=cuda: the environment in .venv has PyTorch for cpu; remove it first: rm -r .venv"
        in done.stderr
    )


def test_another_word_for_pytorch_is_refused_before_anything_is_made(tmp_path):
    done = make(tmp_path, "setup", "TORCH=gpu")
    assert done.returncode != 0
    assert "TORCH=gpu: expected cpu or cuda" in done.stderr
    assert not (tmp_path / ".venv").exists()
