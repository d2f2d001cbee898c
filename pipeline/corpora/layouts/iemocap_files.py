"""EmoEvaluation of IEMOCAP -> utterances with their times and labels, and what is wrong with a line.

    [6.2901 - 8.2357]    Ses01F_impro01_F000    neu    [2.5000, 2.5000, 2.5000]

    C-E2:    Neutral; Sadness;    ()

The class is the one that most raters gave, valence and activation are their means. Of the lines of single
raters below each utterance those of classes are read (`C-E2:`), but what the actors said of themselves
(`C-F1:`) and the ratings on scales (`A-E3:`) are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from pipeline.corpora.text_table import TableError, text_of

SESSION = re.compile(r"Session([1-5])")
NAME = re.compile(r"(Ses0([1-5])[FM]_(impro|script)\w+)_([FM])\w+")
"""Of an utterance: dialog, number of the session, kind, and the letter of who speaks."""
LINE = re.compile(r"\[([\d.]+) - ([\d.]+)\]\s+(\S+)\s+(\S+)\s+\[([\d.]+), ([\d.]+), ([\d.]+)\]")
VOTE = re.compile(r"C-(E\d+):\s*([^()]*)")
WORDS = {
    "anger": "ang", "disgust": "dis", "excited": "exc", "fear": "fea", "frustration": "fru",
    "happiness": "hap", "neutral": "neu", "neutral state": "neu", "other": "oth", "sadness": "sad",
    "surprise": "sur",
}  # fmt: skip
"""Of single raters -> three letters."""
Report = Callable[[str, str], None]
"""Takes the file, relative to the root, and what is wrong with it."""


class Utterance(NamedTuple):
    """One utterance.

    start, end: seconds in its dialog. code: three letters. valence, activation: 1 to 5. votes: rater and code
    of each class that one of them named.
    """

    name: str
    file: str
    line: int
    start: float
    end: float
    code: str
    valence: float
    activation: float
    votes: tuple[tuple[str, str], ...] = ()

    @property
    def dialog(self) -> str:
        """Return the name of its dialog."""
        return self.name.rpartition("_")[0]

    @property
    def session(self) -> str:
        """Return `Ses01` to `Ses05`."""
        return self.name[:5]

    @property
    def speaker(self) -> str:
        """Return `Ses01_F`: of the two of a session, by the letter before the utterance's number."""
        return f"{self.session}_{self.name.rpartition('_')[2][0]}"


def sessions(root: Path) -> list[Path]:
    """Return the folders Session1 to Session5 that are there."""
    return [path for path in sorted(root.glob("Session?")) if SESSION.fullmatch(path.name) and path.is_dir()]


def evaluations(root: Path) -> list[Path]:
    """Return the files of EmoEvaluation, without those of single raters, which lie in folders below."""
    return _texts(root, "EmoEvaluation")


def utterances(root: Path, report: Report) -> Iterator[Utterance]:
    """Give the utterances of all sessions, each once."""
    known: dict[str, Utterance] = {}
    for path in evaluations(root):
        file = path.relative_to(root).as_posix()
        lines = lines_of(path, file, report)
        for number, line in enumerate(lines, 1):
            if not line.startswith("["):
                continue
            found = LINE.fullmatch(line.strip())
            if found is None or NAME.fullmatch(found[3]) is None:
                expected = "[start - end], name, code and [valence, activation, dominance], parted by tabs"
                report(file, f"line {number}: found '{line.strip()[:60]}', expected {expected}: left out")
                continue
            start, end, valence, activation = (float(found[place]) for place in (1, 2, 5, 6))
            one = Utterance(found[3], file, number, start, end, found[4].lower(), valence, activation,
                            tuple(_votes(lines[number:])))  # fmt: skip
            if one.name in known:
                first = known[one.name]
                report(file, f"line {number}: {one.name} is listed before in {first.file}, line {first.line}")
                continue
            known[one.name] = one
            yield one


def _votes(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give rater and code of each vote in the lines behind an utterance, up to the next one."""
    for line in lines:
        if line.startswith("["):
            return
        if vote := VOTE.match(line.strip()):
            words = dict.fromkeys(word.strip().lower() for word in vote[2].split(";"))
            yield from ((vote[1], WORDS[word]) for word in words if word in WORDS)


def _texts(root: Path, folder: str) -> list[Path]:
    return [
        path
        for session in sessions(root)
        for path in sorted((session / "dialog" / folder).glob("*.txt"))
        if not path.name.startswith(".")
    ]


def lines_of(path: Path, file: str, report: Report) -> list[str]:
    """Return the lines of a file of text; one that is none is reported, and has no lines."""
    try:
        return text_of(path).splitlines()
    except TableError as error:
        report(file, f"{str(error).removeprefix(f'{path}:')}: left out")
        return []
