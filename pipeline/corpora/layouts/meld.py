"""MELD -> utterances with one of seven classes, in the official partitions.

    {train,dev,test}_sent_emo.csv    Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,...
    train_splits, dev_splits_complete, output_repeated_splits_test    dia<Dialogue_ID>_utt<Utterance_ID>.mp4

All of them lie below the root or below folders in it, as the archives are unpacked. Numbers begin anew in
each partition, so an utterance is named `<partition>/dia<D>_utt<U>`. A few clips that are listed are not
distributed, and some are distributed that are not listed; both are counted. Source: Poria et al.,
doi 10.18653/v1/P19-1050.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipeline.corpora.absent import Absent, plain
from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import ANY, GOLD, Annotations, CorpusLayout, Listing, Wanted
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import PARTITIONS, Medium, Partition, Recording
from pipeline.corpora.text_table import text_table
from pipeline.corpora.transcripts import TEXT, sha256_of_words
from pipeline.names import readable, refusal
from pipeline.params import ABSENT, Corpus
from pipeline.paths import Paths

COLUMNS = ("Utterance", "Speaker", "Emotion", "Dialogue_ID", "Utterance_ID")
FOLDERS: dict[Partition, tuple[str, ...]] = {
    "train": ("train_splits",),
    "dev": ("dev_splits_complete", "dev_splits"),
    "test": ("output_repeated_splits_test", "test_splits"),
}
CODES = {name: name for name in EMOTIONS} | {"joy": "happy", "sadness": "sad"}
"""Words of the column Emotion -> those that other corpora have for the same."""
CLIP = re.compile(r"dia\d+_utt\d+\.mp4")


class Row(NamedTuple):
    """One line of a table."""

    partition: Partition
    table: Path
    line: int
    clip: str
    cells: Mapping[str, str]

    @property
    def recording(self) -> str:
        """`<partition>/dia<D>_utt<U>`."""
        return f"{self.partition}/{self.clip}"


@dataclass
class Rows:
    """The usable lines of all tables, and what is wrong with others."""

    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def found(root: Path) -> bool:
    """Say whether `root` has one of the tables."""
    return root.is_dir() and bool(_tables(root))


def list_recordings(root: Path, wanted: Wanted = ANY) -> Listing:
    """List the utterances whose clip is on disk; the others are `missing`, or listed if no clip is wanted.

    Raises:
        ValueError: as `text_table`.
    """
    table, inside = _read(root), Inside(root, wanted.media_folders)
    clips = {partition: _clips(root, partition) for partition in PARTITIONS}
    recordings, missing, problems = [], [], list(table.problems)
    for row in table.rows:
        path = clips[row.partition].pop(f"{row.clip}.mp4", None)
        media = {}
        if TEXT in wanted.extract:
            media[TEXT] = Medium(row.table, sha256_of_words(row.cells["Utterance"]), "Utterance")
        if path is None and not {"audio", "video"}.isdisjoint(wanted.extract):
            missing.append(row.recording)
            problems.append(NotOnDisk.at(row.recording, f"{FOLDERS[row.partition][0]}/{row.clip}.mp4"))
            continue
        if path is not None and (refused := inside.refusal(path)):
            problems.append(Problem(row.recording, path.as_posix(), f"{refused}: left out"))
            continue
        if path is not None:
            media |= dict.fromkeys(("audio", "video"), Medium(path))
        recordings.append(Recording(row.recording, row.partition, row.cells["Speaker"], media))
    problems += [problem for own in clips.values() for problem in _not_listed(own)]
    return Listing(sorted(recordings, key=lambda item: item.recording), sorted(missing), problems)


def annotation_files(root: Path) -> list[Path]:
    """Return the tables."""
    return list(_tables(root).values())


def read_traces(root: Path, recordings: Collection[str], absent: Collection[str] = ABSENT) -> Annotations:
    """Read the class of the named utterances.

    absent: what stands for no label; it is counted per file.

    Raises:
        ValueError: as `text_table`.
    """
    from pipeline.corpora.traces import trace_table

    codes: dict[str, float] = {}
    problems: list[Problem] = []
    missing: dict[str, Absent] = {}
    for row in _read(root).rows:
        word, file = row.cells["Emotion"], row.table.as_posix()
        if row.recording not in recordings:
            continue
        if missing.setdefault(file, Absent(absent, count_empty=True))(word, "emotion", row.recording):
            continue
        if word.lower() not in CODES:
            known = ", ".join(dict.fromkeys(CODES))
            reason = f"line {row.line}: found Emotion '{word}', expected one of {known}: left out"
            problems.append(Problem(row.recording, file, reason))
            continue
        codes[row.recording] = float(EMOTIONS.index(CODES[word.lower()]))
    problems += [problem for file, counted in missing.items() for problem in counted.problems(file)]
    every = len(codes)
    traces = trace_table(
        list(codes), ["emotion"] * every, [GOLD] * every, [0.0] * every, list(codes.values())
    )
    where = frozenset().union(*(counted.where for counted in missing.values()))
    return Annotations(traces, problems, no_label=where)


def _tables(root: Path) -> dict[Partition, Path]:
    found: dict[Partition, Path] = {}
    for partition in PARTITIONS:
        for path in (root / f"{partition}_sent_emo.csv", *sorted(root.glob(f"*/{partition}_sent_emo.csv"))):
            if path.is_file():
                found.setdefault(partition, path)
    return found


def _clips(root: Path, partition: Partition) -> dict[str, Path]:
    """Return the clips of a partition by file name, relative to `root`; of equal names the first counts."""
    found: dict[str, Path] = {}
    for name in FOLDERS[partition]:
        for folder in (root / name, *sorted(root.glob(f"*/{name}"))):
            for path in sorted(folder.iterdir()) if folder.is_dir() else ():
                if path.suffix.lower() == ".mp4" and not path.name.startswith("."):
                    found.setdefault(path.name, path.relative_to(root))
    return found


def _not_listed(clips: Mapping[str, Path]) -> Iterator[Problem]:
    """Count the clips that no row names, apart from files that have no name of a clip."""
    for what, fits in (("clips that no row lists", True), ("names that are no dia<D>_utt<U>.mp4", False)):
        paths = [path for name, path in clips.items() if (CLIP.fullmatch(name) is not None) == fits]
        if paths:
            yield Problem("", paths[0].as_posix(), f"found {len(paths)} {what}: left out")


def _read(root: Path) -> Rows:
    """Read the tables; of an utterance listed twice the first line counts.

    Raises:
        ValueError: as `text_table`.
    """
    result = Rows()
    first: dict[str, Row] = {}
    tables = _tables(root)
    for partition in PARTITIONS:
        if partition not in tables:
            reason = f"{partition}_sent_emo.csv is not there: the corpus has no partition {partition}"
            result.problems.append(Problem("", "", reason))
    for partition, path in tables.items():
        file = path.relative_to(root)

        def left_out(line: int, what: str, file: Path = file) -> None:
            result.problems.append(Problem("", file.as_posix(), f"line {line}: {what}: left out"))

        with text_table(path, COLUMNS, names=(), report=left_out) as table:
            for line, cells in table:
                numbers = plain(cells["Dialogue_ID"]), plain(cells["Utterance_ID"])
                speaker = readable(cells["Speaker"])
                if not all(number.isascii() and number.isdigit() for number in numbers):
                    left_out(line, f"found Dialogue_ID '{numbers[0]}', Utterance_ID '{numbers[1]}', "
                             "expected whole numbers")  # fmt: skip
                    continue
                if refused := refusal(speaker) or ("" if speaker else "found no Speaker, expected a name"):
                    left_out(line, refused)
                    continue
                clip = "dia{}_utt{}".format(*map(int, numbers))
                row = Row(partition, file, line, clip, cells | {"Speaker": speaker})
                before = first.setdefault(row.recording, row)
                if before is not row:
                    left_out(line, f"{row.recording} is listed before in line {before.line}")
                    continue
                result.rows.append(row)
    return result


LAYOUT = CorpusLayout(
    obtain="MELD is at https://affective-meld.github.io; docs/corpora.md says how it lies on disk.",
    expected="the files train_sent_emo.csv, dev_sent_emo.csv and test_sent_emo.csv of MELD",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
)


def layout(corpus: Corpus, paths: Paths, corpora: Mapping[str, Corpus]) -> CorpusLayout:
    """Return the layout, with the corpus' words for no label."""
    return LAYOUT.with_absent(corpus.labels.absent)
