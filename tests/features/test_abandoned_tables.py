"""A table that is left half read, by an error or a consumer that stops, lets the process end in peace."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CODE = '''
import io, sys, time
from dataclasses import dataclass
from pipeline.location import RemotePath
from pipeline.features.imported.table_columns import Choice
from pipeline.features.imported.table_rows import open_table

class Slow(io.BytesIO):
    """As a server that sends in pieces: Arrow's thread is inside a read most of the time."""
    def read(self, size=-1):
        time.sleep(0.02)
        return super().read(min(size, 1 << 14) if size > 0 else size)

@dataclass(frozen=True, order=True)
class Remote(RemotePath):
    def open(self, mode="r", **options):
        lines = [f"r{number // 1000},{number % 1000}.0,1.5" for number in range(400_000)]
        if "wrong" in sys.argv:
            lines[200_000] = "r200,0.0,word"
        data = ("recording,time,x\\n" + "\\n".join(lines)).encode()
        return Slow(data) if mode == "rb" else io.TextIOWrapper(io.BytesIO(data))

def read(how):
    rows = open_table(Remote("slow://far/t.csv"), Choice()).recordings()
    next(rows)
    if how == "wrong":
        list(rows)
    raise KeyError(how)

from stages.ending import one_sentence
from pathlib import Path
with one_sentence("s@c", Path("log"), print, "go on"):
    read(sys.argv[1])
'''


@pytest.mark.parametrize("how", ["left", "wrong"])
def test_the_process_ends_with_its_sentence_while_arrow_reads_ahead(tmp_path, how):
    done = subprocess.run(
        [sys.executable, "-c", CODE, how],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert ("KeyError: 'left'" if how == "left" else "column x") in done.stdout
