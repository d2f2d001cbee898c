"""Official csv files of OMG-Emotion -> their lines, and what is wrong with them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.corpora.interface import Problem
from pipeline.corpora.recording import Partition

OFFICIAL_NAMES: dict[Partition, str] = {"train": "Train", "dev": "Validation", "test": "Test"}
REQUIRED = ("link", "start", "end", "video", "utterance")
LABELS = {"arousal": "arousal", "valence": "valence", "emotion": "emotionmaxvote"}


class Row(NamedTuple):
    """One line of an official csv; `start` and `end` (seconds in the whole video) as they are written."""

    partition: Partition
    file: str
    line: int
    link: str
    video: str
    utterance: str
    labels: dict[str, str]
    start: str
    end: str

    @property
    def recording(self) -> str:
        """`<video>/<utterance without its suffix>`."""
        return f"{self.video}/{self.utterance.removesuffix('.mp4')}"

    @property
    def clip(self) -> str:
        """Path of the clip below its partition's folder."""
        return f"{self.video}/{self.utterance.removesuffix('.mp4')}.mp4"


@dataclass(frozen=True)
class Rows:
    """The usable lines of all official csv files, and what is wrong with the others."""

    rows: list[Row]
    problems: list[Problem]


def official_tables(root: Path) -> dict[Partition, Path]:
    """Return the csv of each partition, one with labels before one without."""
    present = {path.name.lower(): path for path in root.iterdir() if path.suffix.lower() == ".csv"}
    tables: dict[Partition, Path] = {}
    for partition, official in OFFICIAL_NAMES.items():
        for ending in ("", "_withlabels", "_withoutlabels"):
            path = present.get(f"omg_{official.lower()}videos{ending}.csv")
            if path is not None:
                tables.setdefault(partition, path)
    return tables


def read_rows(root: Path) -> Rows:
    """Read the official csv files of a corpus; of an utterance listed twice the first line counts.

    Raises:
        ValueError: a csv lacks one of the columns `link, start, end, video, utterance`.
    """
    rows: dict[str, Row] = {}
    problems: list[Problem] = []
    for partition, path in official_tables(root).items():
        for row in _lines(path, partition, problems.append):
            first = rows.setdefault(row.recording, row)
            if first is not row:
                reason = (
                    f"line {row.line}: listed before in {first.file}, line {first.line}: the first counts"
                )
                problems.append(Problem(row.recording, row.file, reason))
    return Rows(list(rows.values()), problems)


def speaker_of_video(rows: Iterable[Row]) -> dict[str, str]:
    """Return the speaker of each `video` id: the first id, by name, of all that share a link with it.

    From the listing, not from what is on disk: every clone gives the same speakers. A row without a link
    is a speaker of its `video` id.
    """
    same: dict[str, set[str]] = {}
    links: dict[str, str] = {}
    for row in rows:
        one = same.setdefault(row.video, {row.video})
        other = same[links.setdefault(row.link, row.video)] if row.link else one
        if one is not other:
            other |= one
            same.update(dict.fromkeys(one, other))
    return {video: min(ids) for video, ids in same.items()}


def _lines(path: Path, partition: Partition, report: Callable[[Problem], None]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        reader = csv.reader(file)
        header = [name.strip().lower() for name in next(reader, [])]
        absent = [name for name in REQUIRED if name not in header]
        if absent:
            raise ValueError(
                f"{path}:1: found the header '{','.join(header)}', expected the columns {', '.join(REQUIRED)}"
            )
        place = {name: header.index(name) for name in (*REQUIRED, *LABELS.values()) if name in header}
        link, video, utterance = place["link"], place["video"], place["utterance"]
        labels = {dimension: place[name] for dimension, name in LABELS.items() if name in place}
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header) or not cells[video].strip() or not cells[utterance].strip():
                line = ",".join(cells)
                reason = (
                    f"line {reader.line_num}: found '{line}', expected {len(header)} filled cells: left out"
                )
                report(Problem("", path.name, reason))
                continue
            yield Row(
                partition,
                path.name,
                reader.line_num,
                cells[link].strip(),
                cells[video].strip(),
                cells[utterance].strip(),
                {dimension: cells[column].strip() for dimension, column in labels.items()},
                cells[place["start"]].strip(),
                cells[place["end"]].strip(),
            )
