"""Whole videos of OMG-Emotion -> one clip per utterance, where the corpus layout looks for them.

The official csv files name a link, a start and an end for each utterance. Nothing is downloaded
here; whoever holds the videos names their folder. What is done is not done again.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlparse

from filelock import FileLock

from pipeline.corpora.layouts.omg_tables import OFFICIAL_NAMES, Row, official_tables, read_rows
from pipeline.tools import cutting
from pipeline.tools.clips import Outcome, Piece, cut_pieces

ENDINGS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".flv", ".m4v", ".3gp")


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
    return cut_pieces(pieces, outcome, workers)


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
