"""`processedResults/tabulatedVotes.csv` of CREMA-D -> how many raters saw which emotion in a clip.

    "","A","D","F","H","N","S","fileName","numResponses",...
    "300001",0,0,0,8,2,0,"1001_IEO_HAP_LO",10,...

A clip has a line for each way in which it was shown: the row is named 100000 times 1 (voice alone), 2 (face
alone) or 3 (both), plus the number of the clip. Those who both saw and heard it count here; who they are the
table does not say.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.corpora.problems import Problem
from pipeline.corpora.text_table import text_table

VOTES = "processedResults/tabulatedVotes.csv"
ROW = "row name"
LETTERS: Mapping[str, str] = {
    "A": "anger", "D": "disgust", "F": "fear", "H": "happy", "N": "neutral", "S": "sad",
}  # fmt: skip
CLIP = "fileName"
SHOWN = 100_000
BOTH = 3
"""The way of showing whose votes count: face and voice together."""
MOST = 1_000
"""More raters of a clip are none: a number in the wrong column."""


def votes(root: Path) -> tuple[dict[str, dict[str, int]], list[Problem]]:
    """Return clip -> class -> raters who named it, and what is wrong; nothing where the table is not there.

    Raises:
        ValueError: as `text_table`.
    """
    found: dict[str, dict[str, int]] = {}
    problems: list[Problem] = []
    if not (root / VOTES).is_file():
        return found, problems

    def wrong(line: int, text: str) -> None:
        problems.append(Problem("", VOTES, f"line {line}: {text}: left out"))

    with text_table(root / VOTES, (ROW, *LETTERS, CLIP), names=(CLIP,), report=wrong, row_names=ROW) as table:
        for line, cells in table:
            numbers = {name: cells[name] for name in (ROW, *LETTERS)}
            bad = [name for name, cell in numbers.items() if not (cell.isascii() and cell.isdigit())]
            bad += [name for name in LETTERS if name not in bad and int(cells[name]) > MOST]
            if bad:
                wrong(line, f"found {bad[0]} '{cells[bad[0]]}', expected a count of raters or a row's name")
            elif int(cells[ROW]) // SHOWN == BOTH:
                counts = {word: int(cells[letter]) for letter, word in LETTERS.items()}
                if found.setdefault(cells[CLIP], counts) is not counts:
                    wrong(line, f"clip {cells[CLIP]} occurs twice with face and voice, expected once")
    return found, problems
