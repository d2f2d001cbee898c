"""`make setup` with an interpreter that pretends: what is said while pip is at work."""

from __future__ import annotations

import shutil
import subprocess
import time

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
    begun = time.monotonic()
    done = subprocess.run(
        ["make", "setup", f"PYTHON={python}", "SETUP_SAYS_EVERY=0.2"],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode == 0) == (code == 0), done.stderr
    lines = done.stdout.splitlines()
    assert len([line for line in lines if line.startswith("  ") and " after " in line]) >= 1
    assert any("some 6.6 GB" in line for line in lines)
    assert (tmp_path / ".venv/.ready").exists() == (code == 0)
    assert time.monotonic() - begun < 30  # nobody waits for the one that says it
