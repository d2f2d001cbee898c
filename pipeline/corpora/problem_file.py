"""What is wrong with a corpus <-> problems.csv (recording, file, reason).

The file has sentences for people. The one kind that is told from the others after reading has one sentence of
its own, which is its name in the file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.names import harmless

PROBLEMS = "problems.csv"


def format_problems(problems: Iterable[Problem]) -> bytes:
    """Return the bytes of a problems.csv, sorted, each once; no cell is a formula."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(Problem._fields)
    rows.writerows([harmless(cell) for cell in problem] for problem in sorted(set(problems)))
    return text.getvalue().encode()


def read_problems(path: Path) -> list[Problem]:
    """Read a problems.csv, each row as the kind that it is; none if the file is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in list(csv.reader(file))[1:] if len(row) == len(Problem._fields)]
    return [NotOnDisk(*row) if row[-1] == NotOnDisk.REASON else Problem(*row) for row in rows]
