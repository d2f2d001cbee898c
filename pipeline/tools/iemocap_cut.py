"""Dialogues of IEMOCAP -> a clip and the words of each utterance, where the corpus layout looks for them.

    Session<1-5>/dialog/avi/DivX/<dialog>.avi          both actors side by side
    Session<1-5>/dialog/transcriptions/<dialog>.txt    Ses01F_impro01_F000 [006.2901-008.2357]: Excuse me.

A dialogue is recorded twice, with the markers on the one actor and then on the other: the letter behind the
session, as in `Ses01F`, says who wears them, and that actor has the left half of the picture. The letter of
an utterance says who speaks. What is done is not done again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.layouts.iemocap import found, paths_of
from pipeline.corpora.layouts.iemocap_files import Utterance, lines_of, utterances
from pipeline.tools import cutting
from pipeline.tools.clips import Outcome, Piece, cut_pieces

LINE = re.compile(r"(Ses0[1-5][FM]_\w+)\s*\[\s*[\d.]+\s*-\s*[\d.]+\s*\]\s*:?\s*(.*)")


def half_of(one: Utterance) -> cutting.Half:
    """Return the half of the picture in which the speaker is: the left one for who wears the markers."""
    return "left" if one.dialog[5] == one.speaker[-1] else "right"


def cut_utterances(root: Path, workers: int = 1) -> Outcome:
    """Cut every utterance whose dialogue is on film, its speaker's half of the picture.

    Clips are written to `sentences/video/<dialog>/<utterance>.mp4`; one that is there and holds that stretch
    and half is kept.

    Raises:
        ValueError: no evaluations in `root`.
    """
    _require(root)
    with FileLock(root / ".iemocap_cut.lock"):  # a second call waits, then has nothing left to do
        outcome = Outcome()
        return cut_pieces(list(_pieces(root, outcome)), outcome, workers)


class Words(NamedTuple):
    """What became of the transcripts. written: utterances with words. problems: sentences for people."""

    written: int
    problems: list[str]


def write_words(root: Path) -> Words:
    """Write the words of each utterance to `sentences/text/<dialog>/<utterance>.txt`.

    Lines that begin with no name and times (`M: ...`, said between utterances) and those of parts that nobody
    rated (`Ses01F_impro01_FXX0`) are counted.

    Raises:
        ValueError: no evaluations in `root`.
    """
    _require(root)
    problems: list[str] = []
    odd: Counter[str] = Counter()
    by_file: dict[Path, dict[str, Utterance]] = {}
    for one in utterances(root, lambda file, what: problems.append(f"{file}: {what}")):
        path = root / one.file.replace("/EmoEvaluation/", "/transcriptions/")
        by_file.setdefault(path, {})[one.name] = one
    written = 0
    for path, wanted in by_file.items():
        file = path.relative_to(root).as_posix()
        if not path.is_file():
            problems.append(f"{file}: not there; {len(wanted)} utterances have no words")
            continue
        words: dict[str, str] = {}
        for line in lines_of(path, file, lambda file, what: problems.append(f"{file}: {what}")):
            parts = LINE.fullmatch(line.strip())
            if parts is None:
                odd["lines of no utterance"] += bool(line.strip())
            elif parts[1] not in wanted:
                odd["lines of utterances that nobody rated"] += 1
            elif parts[2]:
                words.setdefault(parts[1], parts[2].strip())
        if lacking := len(wanted) - len(words):
            problems.append(f"{file}: {lacking} of {len(wanted)} utterances have no words")
        for name, text in words.items():
            target = root / paths_of(wanted[name])["text"]
            target.parent.mkdir(parents=True, exist_ok=True)
            write_if_changed(target, text.encode() + b"\n")
        written += len(words)
    problems += [f"dialog/transcriptions: {count} {what} left out" for what, count in odd.items() if count]
    return Words(written, problems)


def _require(root: Path) -> None:
    if not found(root):
        raise ValueError(f"{root}: expected the folders Session1 to Session5 with dialog/EmoEvaluation/*.txt")


def _pieces(root: Path, outcome: Outcome) -> Iterator[Piece]:
    """Give what is to be cut; note in `outcome` what need not or cannot be."""

    def wrong(file: str, what: str) -> None:
        outcome.failed[file] = what

    for one in utterances(root, wrong):
        source = root / f"Session{one.session[-1]}/dialog/avi/DivX/{one.dialog}.avi"
        target = root / paths_of(one)["video"]
        half = half_of(one)
        if not one.start < one.end:
            outcome.failed[one.name] = (
                f"{one.file}, line {one.line}: found {one.start:g} to {one.end:g} s, expected a start before"
            )
        elif cutting.holds(target, one.start, one.end, half):
            outcome.kept.append(one.name)
        elif not source.is_file():
            outcome.missing.setdefault(source.relative_to(root).as_posix(), []).append(one.name)
        else:
            yield Piece(one.name, source, one.start, one.end, target, half)
