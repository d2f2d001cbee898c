"""Official csv files of OMG-Emotion -> their lines, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pipeline.corpora.problems import Problem
from pipeline.corpora.recording import Medium, Partition
from pipeline.corpora.text_table import text_table
from pipeline.corpora.transcripts import TRANSCRIPT, cell

OFFICIAL_NAMES: dict[Partition, str] = {"train": "Train", "dev": "Validation", "test": "Test"}
REQUIRED = ("link", "start", "end", "video", "utterance")
TRANSCRIPT_COLUMNS = ("video", "utterance", TRANSCRIPT)
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


class Unread(NamedTuple):
    """A line of an official csv that cannot be used, and why."""

    file: str
    line: int
    what: str

    @property
    def sentence(self) -> str:
        """Say which line it is, what is wrong with it and what became of it."""
        return f"line {self.line}: {self.what}: left out"


@dataclass(frozen=True)
class Rows:
    """The usable lines of all official csv files, those that are not, and problems of usable ones."""

    rows: list[Row]
    unread: list[Unread]
    twice: list[Problem]

    @property
    def problems(self) -> list[Problem]:
        """Return all that is wrong with the files."""
        return [*(Problem("", each.file, each.sentence) for each in self.unread), *self.twice]


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
        ValueError: as `text_table`; the columns are `link, start, end, video, utterance`.
    """
    rows: dict[str, Row] = {}
    unread: list[Unread] = []
    twice: list[Problem] = []
    for partition, path in official_tables(root).items():
        for row in _lines(path, partition, unread.append):
            first = rows.setdefault(row.recording, row)
            if first is not row:
                reason = (
                    f"line {row.line}: listed before in {first.file}, line {first.line}: the first counts"
                )
                twice.append(Problem(row.recording, row.file, reason))
    return Rows(list(rows.values()), unread, twice)


def read_transcripts(root: Path, report: Callable[[Problem], None]) -> dict[str, Medium]:
    """Read the official tables of transcripts: recording -> where its words stand.

    The table of the test partition ends in .tsv, its cells are parted by commas all the same. The words are
    those of a speech recogniser, which heard none in many utterances: that is a transcript without words. An
    utterance without a line has none.

    report: takes what is wrong with a line; of an utterance listed twice the first line counts.

    Raises:
        ValueError: as `text_table`.
    """
    found: dict[str, Medium] = {}
    tables = _transcript_tables(root)
    if not tables:
        names = ", ".join(f"omg_{official}Transcripts.csv" for official in OFFICIAL_NAMES.values())
        report(Problem("", "", f"text is under extract, and none of {names} is there: no recording has text"))
    for path in tables:

        def left_out(line: int, what: str, file: str = path.name) -> None:
            report(Problem("", file, Unread(file, line, what).sentence))

        with text_table(
            path, TRANSCRIPT_COLUMNS, names=("video", "utterance"), small=True, report=left_out
        ) as table:
            for _, cells in table:
                name = f"{cells['video']}/{cells['utterance'].removesuffix('.mp4')}"
                found.setdefault(name, cell(Path(path.name), cells[TRANSCRIPT]))
    return found


def _transcript_tables(root: Path) -> list[Path]:
    present = {path.name.lower(): path for path in sorted(root.iterdir())}
    names = [f"omg_{official.lower()}transcripts" for official in OFFICIAL_NAMES.values()]
    return [present[file] for name in names for file in (f"{name}.csv", f"{name}.tsv") if file in present]


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


def _lines(path: Path, partition: Partition, report: Callable[[Unread], None]) -> Iterator[Row]:
    def left_out(line: int, what: str) -> None:
        report(Unread(path.name, line, what))

    with text_table(path, REQUIRED, names=("video", "utterance"), small=True, report=left_out) as table:
        labels = {dimension: name for dimension, name in LABELS.items() if name in table.header}
        for line, cells in table:
            if not cells["video"] or not cells["utterance"]:
                table.fault(line, f"found video '{cells['video']}', utterance '{cells['utterance']}', "
                            "expected both")  # fmt: skip
                continue
            if not all(_is_a_name(cells[name]) for name in ("video", "utterance")):
                table.fault(line, f"found '{cells['video']}', '{cells['utterance']}', expected names of a "
                            "folder and a file in it")  # fmt: skip
                continue
            yield Row(
                partition,
                path.name,
                line,
                cells["link"],
                cells["video"],
                cells["utterance"],
                {dimension: cells[column] for dimension, column in labels.items()},
                cells["start"],
                cells["end"],
            )


def _is_a_name(cell: str) -> bool:
    """Say whether a cell names something in a folder, not a path that leads out of it."""
    return cell not in (".", "..") and "/" not in cell and "\\" not in cell
