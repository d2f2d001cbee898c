"""Programs that are called with a closed standard stream, as some schedulers do."""

from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from tests.conftest import ROOT

EMOBED = f"{shlex.quote(sys.executable)} -m stages.commands"


def shell(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("words", ["predict recogniser talk.wav", "predict recogniser --live microphone"])
def test_a_closed_standard_output_is_one_sentence(words):
    done = shell(f"{EMOBED} {words} >&-")
    assert done.returncode == 1
    assert done.stderr.startswith("emobed: standard output is closed, and predictions would be printed there")
    assert len(done.stderr.splitlines()) == 1


def test_what_is_opened_does_not_take_the_place_of_a_closed_stream(tmp_path):
    program = f"""
from stages.commands.standard_streams import hold_places
hold_places()
import os, subprocess, sys
file = open({str(tmp_path / "out.csv")!r}, "w")
os.write(1, b"of a library"), os.write(2, b"too"), sys.stderr.flush()
subprocess.run(["sh", "-c", "echo of a child; echo too >&2"], check=True)
print(file.fileno(), file=file)
"""
    assert shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(program)} <&- >&- 2>&-").returncode == 0
    assert int((tmp_path / "out.csv").read_text()) > 2
