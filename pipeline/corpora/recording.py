"""Recordings and the manifest table: what a corpus consists of, in the same words for every layout.

The manifest (`data/manifests/<corpus>.csv`, kept in git) has the columns of `MANIFEST_COLUMNS`.
Paths are relative to the corpus root; an empty cell means the recording has no such medium. It is
read and written without pandas, because `register` runs at each `dvc repro`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pipeline.corpora.text_table import text_table
from pipeline.location import Location, as_location

Partition = Literal["train", "dev", "test"]
PARTITIONS: tuple[Partition, Partition, Partition] = ("train", "dev", "test")
MANIFEST_COLUMNS = ("recording", "partition", "speaker", "audio", "video", "audio_sha256", "video_sha256")
SHA256_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class Recording:
    """One session or utterance.

    `audio` and `video` are paths relative to the corpus root, or URLs (they may be the same file); the
    sha256 is empty until the medium was seen by `register`.
    """

    recording: str
    partition: Partition
    speaker: str
    audio: Location | None
    video: Location | None
    audio_sha256: str = ""
    video_sha256: str = ""

    def medium(self, modality: str) -> Location | None:
        """Return the path of the medium for `modality`, relative to the corpus root."""
        return {"audio": self.audio, "video": self.video}[modality]

    def sha256(self, modality: str) -> str:
        """Return the sha256 of the medium for `modality`, empty if it was never seen."""
        return {"audio": self.audio_sha256, "video": self.video_sha256}[modality]


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
        ValueError: the header is not `MANIFEST_COLUMNS`, a row has another number of cells, an
            unknown partition, an empty or repeated recording, an empty speaker, or a sha256 that
            is not one (for example the marks of a git merge conflict).
    """
    recordings: dict[str, Recording] = {}
    with text_table(path, names=(), as_written=("audio", "video")) as table:
        if table.header != MANIFEST_COLUMNS:
            raise ValueError(
                f"{path}:1: found the header '{','.join(table.header)}', expected "
                f"'{','.join(MANIFEST_COLUMNS)}'"
            )
        for line in table:
            recording = _parse_row(line.cells, table.where(line.number))
            if recording.recording in recordings:
                table.fault(line.number, f"recording '{recording.recording}' occurs twice, expected once")
            recordings[recording.recording] = recording
    return list(recordings.values())


def _parse_row(cells: dict[str, str], where: str) -> Recording:
    recording, partition, speaker, audio, video, audio_sha256, video_sha256 = (
        cells[column] for column in MANIFEST_COLUMNS
    )
    if not recording or not speaker:
        raise ValueError(
            f"{where}: recording and speaker must not be empty, found '{recording}', '{speaker}'"
        )
    for digest in (audio_sha256, video_sha256):
        require_sha256(digest, where)
    return Recording(
        recording=recording,
        partition=parse_partition(partition, where),
        speaker=speaker,
        audio=as_location(audio) if audio else None,
        video=as_location(video) if video else None,
        audio_sha256=audio_sha256,
        video_sha256=video_sha256,
    )


def format_manifest(recordings: Iterable[Recording]) -> bytes:
    """Return the bytes of a manifest table, sorted by recording, lines ended by LF."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(MANIFEST_COLUMNS)
    for item in sorted(recordings, key=lambda each: each.recording):
        rows.writerow(
            (
                item.recording,
                item.partition,
                item.speaker,
                item.audio.as_posix() if item.audio else "",
                item.video.as_posix() if item.video else "",
                item.audio_sha256,
                item.video_sha256,
            )
        )
    return text.getvalue().encode()
