"""Own media, listed in a table -> recordings, classes and traces.

    <root>/recordings.csv    recording, partition, speaker, audio, video[, emotion][, arousal][, valence]
    <root>/traces.csv        recording, dimension, rater, time, value (optional)

`audio` and `video` are paths relative to the root, absolute paths or URLs, may be the same file or
empty; the root itself may be a URL. Beside feature tables that came with the corpus, a column of media
that are not extracted may be missing, and so may `partition` where folds are drawn. The csv is the list:
a recording that is not in it is not in the corpus. Since the user wrote these files, a wrong cell is an
error that names it rather than a row left out.
"""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from typing import NamedTuple

from pipeline.corpora.interface import (
    ANY,
    DIMENSIONS,
    EMOTIONS,
    GOLD,
    MISSING,
    Annotations,
    CorpusLayout,
    Listing,
    Problem,
    Wanted,
)
from pipeline.corpora.recording import Partition, Recording, parse_partition
from pipeline.location import Location, as_location

RECORDINGS = "recordings.csv"
TRACES = "traces.csv"
COLUMNS = ("recording", "partition", "speaker", "audio", "video")


class Row(NamedTuple):
    """One line of recordings.csv: where it stands, and its cells by column."""

    where: str
    cells: dict[str, str]


def found(root: Location) -> bool:
    """Say whether `root` has a recordings.csv."""
    return (root / RECORDINGS).is_file()


def list_recordings(root: Location, wanted: Wanted = ANY) -> Listing:
    """List the rows of recordings.csv.

    A medium that is not on disk stays in the row, so that extraction counts it as a failure, and
    is listed as a problem where it is extracted. A recording without any is left out, unless feature
    tables came with the corpus. Where partitions are not the corpus' to say, an empty one is `train`.

    Raises:
        ValueError: a missing column, an empty or repeated recording, an empty speaker, an unknown
            partition, or no rows.
    """
    recordings: dict[str, Recording] = {}
    problems = []
    for where, cells in _read(root, _required(wanted)):
        name = cells["recording"]
        if not name or not cells["speaker"]:
            raise ValueError(
                f"{where}: recording and speaker must not be empty, found '{name}', '{cells['speaker']}'"
            )
        if name in recordings:
            raise ValueError(f"{where}: recording '{name}' occurs twice, expected once")
        partition = _partition(cells.get("partition", ""), wanted, where)
        audio, video = (
            as_location(cells[column]) if cells.get(column) else None for column in ("audio", "video")
        )
        if audio is None and video is None and not wanted.features:
            problems.append(Problem(name, RECORDINGS, "neither audio nor video is named: left out"))
            continue
        problems += [
            Problem(name, path.as_posix(), MISSING)
            for path in dict.fromkeys(
                path for modality, path in (("audio", audio), ("video", video)) if modality in wanted.extract
            )
            if path is not None and not (root / path).is_file()
        ]
        recordings[name] = Recording(name, partition, cells["speaker"], audio, video)
    if not recordings:
        raise ValueError(f"{root / RECORDINGS}: found no recordings, expected one per row")
    if wanted.partitions_given:
        problems += _shared_speakers(recordings.values())
    return Listing(sorted(recordings.values(), key=lambda item: item.recording), problems=problems)


def annotation_files(root: Location) -> list[Location]:
    """Return recordings.csv, and traces.csv if there is one."""
    return [path for path in (root / RECORDINGS, root / TRACES) if path.is_file()]


def read_traces(root: Location, recordings: Collection[str]) -> Annotations:
    """Read the label columns of recordings.csv and the rows of traces.csv.

    If every class is one of OMG-Emotion's names or codes, codes are OMG-Emotion's; otherwise the
    classes are the names found, in alphabetical order.

    Raises:
        ValueError: a rating or time that is no finite number, an unknown dimension, an unknown
            class code, a missing column, or two values of one rater for the same time.
    """
    from pipeline.corpora.table_traces import read_traces_csv
    from pipeline.corpora.traces import join_traces, trace_table

    rows = [row for row in _read(root, ("recording",)) if row.cells["recording"] in recordings]
    classes = _classes([row.cells["emotion"] for row in rows if row.cells.get("emotion")])
    names, dimensions, values = [], [], []
    for where, cells in rows:
        for dimension in DIMENSIONS:
            cell = cells.get(dimension, "")
            if cell:
                code = (
                    _code(cell, classes, where) if dimension == "emotion" else _rating(cell, dimension, where)
                )
                names.append(cells["recording"])
                dimensions.append(dimension)
                values.append(code)
    labels = trace_table(names, dimensions, [GOLD] * len(names), [0.0] * len(names), values)
    if not (root / TRACES).is_file():
        return Annotations(labels, classes=classes)
    traces, problems = read_traces_csv(root / TRACES, recordings)
    both = join_traces([labels, traces])
    twice = both.duplicated(["recording", "dimension", "rater", "time"])
    if twice.any():
        row = both[twice].iloc[0]
        raise ValueError(
            f"{root / TRACES}: recording '{row['recording']}' has two values of {row['dimension']} by "
            f"'{row['rater']}' at {row['time']} s, expected one"
        )
    return Annotations(both, problems, classes)


def _required(wanted: Wanted) -> list[str]:
    """Return the columns that must be there."""
    # what is extracted needs a column; without feature tables both are asked for, so that none is forgotten
    media = [column for column in ("audio", "video") if column in wanted.extract or not wanted.features]
    return ["recording", *(["partition"] if wanted.partitions_given else []), "speaker", *media]


def _partition(cell: str, wanted: Wanted, where: str) -> Partition:
    if cell or wanted.partitions_given:
        return parse_partition(cell, where)
    return "train"


def _read(root: Location, required: Collection[str]) -> Iterator[Row]:
    path = root / RECORDINGS
    with path.open(encoding="utf-8-sig", newline="", errors="replace") as file:
        reader = csv.reader(file, skipinitialspace=True)
        header = [name.strip() for name in next(reader, [])]
        absent = [column for column in required if column not in header]
        if absent:
            drawn = (
                "; partitions.method cross_validation needs no partition" if absent == ["partition"] else ""
            )
            raise ValueError(
                f"{path}:1: missing column {', '.join(absent)} in '{','.join(header)}', "
                f"expected {', '.join(required)}{drawn}"
            )
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}:{reader.line_num}"
            if len(cells) != len(header):
                raise ValueError(
                    f"{where}: found {len(cells)} cells ('{','.join(cells)}'), expected {len(header)}"
                )
            yield Row(where, {name: cell.strip() for name, cell in zip(header, cells, strict=True)})


def _classes(found_names: list[str]) -> tuple[str, ...]:
    if all(name.lower() in EMOTIONS or name.isdigit() for name in found_names):
        return EMOTIONS
    return tuple(sorted(set(found_names)))


def _code(cell: str, classes: tuple[str, ...], where: str) -> float:
    if cell in classes:
        return float(classes.index(cell))
    if cell.lower() in classes:
        return float(classes.index(cell.lower()))
    if not cell.isdigit() or int(cell) >= len(classes):
        allowed = ", ".join(f"{code} {name}" for code, name in enumerate(classes))
        raise ValueError(f"{where}: found emotion '{cell}', expected a name or code out of {allowed}")
    return float(cell)


def _rating(cell: str, dimension: str, where: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        value = float("nan")
    if not abs(value) < float("inf"):
        raise ValueError(f"{where}: found {dimension} '{cell}', expected a finite number")
    return value


def _shared_speakers(recordings: Collection[Recording]) -> list[Problem]:
    """Note speakers that occur in more than one partition: scores would be too good."""
    partitions: dict[str, set[str]] = {}
    for item in recordings:
        partitions.setdefault(item.speaker, set()).add(item.partition)
    return [
        Problem(
            "",
            RECORDINGS,
            f"speaker '{speaker}' is in the partitions {', '.join(sorted(where))}: expected one",
        )
        for speaker, where in sorted(partitions.items())
        if len(where) > 1
    ]


LAYOUT = CorpusLayout(
    expected=f"a file {RECORDINGS} with the columns {', '.join(COLUMNS)}",
    found=found,
    list_recordings=list_recordings,
    annotation_files=annotation_files,
    read_traces=read_traces,
    csv_is_the_list=True,
)
