"""Whole videos of OMG-Emotion -> one clip per utterance, where the corpus layout looks for them.

The official csv files name a link, a start and an end for each utterance. Nothing is downloaded
here; whoever holds the videos names their folder. What is done is not done again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlparse

import joblib
from filelock import FileLock

from pipeline.corpora.layouts.omg_tables import OFFICIAL_NAMES, Row, official_tables, read_rows
from pipeline.features.media.opening import MediaError
from pipeline.running.progress import tracked
from pipeline.tools import cutting

ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".flv", ".m4v", ".3gp")


class Piece(NamedTuple):
    """An utterance to cut: from which video, from when to when (seconds), to where."""

    recording: str
    source: Path
    start: float
    end: float
    target: Path


@dataclass
class Outcome:
    """What became of the utterances.

    cut, kept: names; kept ones were there already. missing: link -> the utterances whose whole video
    is not in the folder. failed: utterance -> reason.
    """

    cut: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def cut_utterances(root: Path, videos: Path, workers: int = 1) -> Outcome:
    """Cut every utterance that the csv files in `root` list and whose whole video is in `videos`.

    A video is found by its YouTube id, `<id>.<ending>` or `<anything>[<id>].<ending>` (as yt-dlp names
    files), or by the `video` column, `<video>.<ending>`. Clips are written to
    `<root>/<Train, Validation or Test>/<video>/<utterance>`; one that is there and holds that
    stretch is kept.

    Raises:
        ValueError: no csv file in `root`, one without the official columns, or no folder `videos`.
    """
    if not root.is_dir() or not official_tables(root):
        raise ValueError(
            f"{root}: expected omg_TrainVideos.csv, omg_ValidationVideos.csv, omg_TestVideos.csv"
        )
    if not videos.is_dir():
        raise ValueError(f"{videos}: no such folder; expected the downloaded whole videos")
    with FileLock(root / ".omg_cut.lock"):  # a second call waits, then has nothing left to do
        return _cut(root, videos, workers)


def _cut(root: Path, videos: Path, workers: int) -> Outcome:
    outcome = Outcome()
    table = read_rows(root)
    pieces = list(_pieces(root, table.rows, whole_videos(videos), outcome))
    outcome.failed |= {f"{each.file}, line {each.line}": each.sentence for each in table.unread}
    finished = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(
        joblib.delayed(_one)(piece) for piece in pieces
    )
    for recording, reason in tracked(finished, "cut", "clips", len(pieces)):
        if reason is None:
            outcome.cut.append(recording)
        else:
            outcome.failed[recording] = reason
    return outcome


def whole_videos(folder: Path) -> Callable[[Row], Path | None]:
    """Return a function that finds the whole video of a csv line."""
    named: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in ENDINGS and not path.name.startswith(".") and path.is_file():
            bracketed = re.search(r"\[([\w-]{11})\]$", path.stem)
            for name in (path.stem, bracketed[1] if bracketed else path.stem):
                named.setdefault(name, path)
    return lambda row: named.get(youtube_id(row.link)) or named.get(row.video)


def youtube_id(link: str) -> str:
    """Return the id in a link to a YouTube video; empty if it has none."""
    address = urlparse(link)
    ids = parse_qs(address.query).get("v")
    return ids[0] if ids else address.path.rstrip("/").rpartition("/")[2]


def _pieces(
    root: Path, rows: Iterable[Row], find: Callable[[Row], Path | None], outcome: Outcome
) -> Iterator[Piece]:
    """Give what is to be cut; note in `outcome` what need not or cannot be."""
    for row in rows:
        start, end = _seconds(row.start), _seconds(row.end)
        target = root / OFFICIAL_NAMES[row.partition] / row.clip
        if not 0 <= start < end:
            outcome.failed[row.recording] = (
                f"{row.file}, line {row.line}: found start '{row.start}' and end '{row.end}', "
                "expected seconds with start before end"
            )
        elif cutting.holds(target, start, end):
            outcome.kept.append(row.recording)
        elif (source := find(row)) is None:
            outcome.missing.setdefault(row.link, []).append(row.recording)
        else:
            yield Piece(row.recording, source, start, end, target)


def _seconds(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _one(piece: Piece) -> tuple[str, str | None]:
    try:
        cutting.cut(piece.source, piece.start, piece.end, piece.target)
    except (MediaError, OSError, ValueError) as error:
        return piece.recording, str(error)
    return piece.recording, None
