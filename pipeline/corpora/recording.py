"""Recordings and the manifest table: what a corpus consists of, in the same words for every layout.

The manifest (`data/manifests/<corpus>.csv`, kept in git) has the columns `recording, partition, speaker`,
then the path of each modality's medium (`audio, video, ...`) and the sha256 of each (`audio_sha256, ...`):
the header says which modalities there are. Paths are relative to the corpus root; an empty cell means the
recording has no such medium. It is read and written without pandas, because `register` runs at each `dvc
repro`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.corpora.text_table import TextTable, text_table
from pipeline.location import Location, as_location

Partition = Literal["train", "dev", "test"]
PARTITIONS: tuple[Partition, Partition, Partition] = ("train", "dev", "test")
FIRST_COLUMNS = ("recording", "partition", "speaker")
ALWAYS = ("audio", "video")
"""Modalities that every manifest has columns for, whether a recording has them or not; others if one has."""
SHA256 = "_sha256"
SHA256_DIGITS = frozenset("0123456789abcdef")
CELL = re.compile(r"(.+\.[ct]sv)#(\w+)", re.IGNORECASE)
"""A medium that is a cell of a table of text, as the manifest has it: the table and the column."""


@dataclass(frozen=True)
class Medium:
    """What a modality of a recording is read from: a file, or a cell of a table of text.

    path: of the file or the table, relative to the corpus root, or a URL. sha256: of the file or of the words
    in the cell, empty until `register` has seen it. column: of the cell; which row it stands in nobody needs
    to write down, since the cell is the one with the sha256. Empty: the medium is the file.
    """

    path: Location
    sha256: str = ""
    column: str = ""

    def __str__(self) -> str:
        """Return the path, and the column behind a `#`, as the manifest has them."""
        return self.path.as_posix() + (f"#{self.column}" if self.column else "")


@dataclass(frozen=True)
class Recording:
    """One session or utterance. media: of each modality that it has; several may be the same file."""

    recording: str
    partition: Partition
    speaker: str
    media: Mapping[str, Medium] = field(default_factory=dict)

    def medium(self, modality: str) -> Location | None:
        """Return the path of the medium for `modality`, relative to the corpus root."""
        medium = self.media.get(modality)
        return None if medium is None else medium.path

    def sha256(self, modality: str) -> str:
        """Return the sha256 of the medium for `modality`, empty if it was never seen."""
        medium = self.media.get(modality)
        return "" if medium is None else medium.sha256


def parse_partition(name: str, where: str) -> Partition:
    """Return `name` as a partition.

    Args:
        name: the word found.
        where: file and line, for the error.

    Raises:
        ValueError: `name` is not one of `PARTITIONS`.
    """
    if name not in PARTITIONS:
        raise ValueError(f"{where}: unknown partition '{name}', expected one of {', '.join(PARTITIONS)}")
    return name


def require_sha256(digest: str, where: str) -> None:
    """Refuse what is neither a sha256 nor nothing, such as the marks of a git merge conflict.

    where: file and line, for the error.

    Raises:
        ValueError: not 64 hexadecimal digits.
    """
    if digest and (len(digest) != 64 or not SHA256_DIGITS.issuperset(digest)):
        raise ValueError(f"{where}: found the sha256 '{digest}', expected 64 hexadecimal digits or nothing")


def read_manifest(path: Path) -> list[Recording]:
    """Read a manifest table.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the header is none of a manifest, a row has another number of cells, an
            unknown partition, an empty or repeated recording, an empty speaker, or a sha256 that
            is not one (for example the marks of a git merge conflict).
    """
    recordings: dict[str, Recording] = {}
    with text_table(path, names=()) as table:
        modalities = _modalities(table)
        table.as_written = frozenset(modalities)
        for line in table:
            recording = _parse_row(line.cells, modalities, table.where(line.number))
            if recording.recording in recordings:
                table.fault(line.number, f"recording '{recording.recording}' occurs twice, expected once")
            recordings[recording.recording] = recording
    return list(recordings.values())


def manifest_columns(modalities: Iterable[str]) -> tuple[str, ...]:
    """Return the header of a manifest: first the media, then their sha256, in the order of the modalities."""
    modalities = tuple(modalities)
    return (*FIRST_COLUMNS, *modalities, *(f"{name}{SHA256}" for name in modalities))


def _modalities(table: TextTable) -> tuple[str, ...]:
    """Return the modalities that a header names."""
    media = [name for name in table.header[len(FIRST_COLUMNS) :] if not name.endswith(SHA256)]
    expected = manifest_columns(media or ALWAYS)
    if table.header != expected or "" in media:
        raise ValueError(
            f"{table.where(1)}: found the header '{','.join(table.header)}', expected '{','.join(expected)}'"
        )
    return tuple(media)


def _parse_row(cells: dict[str, str], modalities: Iterable[str], where: str) -> Recording:
    name, speaker = cells["recording"], cells["speaker"]
    if not name or not speaker:
        raise ValueError(f"{where}: recording and speaker must not be empty, found '{name}', '{speaker}'")
    media = {}
    for modality in modalities:
        digest = cells[f"{modality}{SHA256}"]
        require_sha256(digest, where)
        if cells[modality]:
            cell = CELL.fullmatch(cells[modality])
            path, column = cell.groups() if cell else (cells[modality], "")
            media[modality] = Medium(as_location(path), digest, column)
    return Recording(name, parse_partition(cells["partition"], where), speaker, media)


def format_manifest(recordings: Iterable[Recording]) -> bytes:
    """Return the bytes of a manifest table, sorted by recording, lines ended by LF."""
    ordered = sorted(recordings, key=lambda each: each.recording)
    others = {name for item in ordered for name in item.media} - set(ALWAYS)
    modalities = (*ALWAYS, *sorted(others))
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(manifest_columns(modalities))
    for item in ordered:
        paths = [str(item.media[name]) if name in item.media else "" for name in modalities]
        digests = [item.sha256(name) for name in modalities]
        rows.writerow((item.recording, item.partition, item.speaker, *paths, *digests))
    return text.getvalue().encode()
