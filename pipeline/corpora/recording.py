"""Recordings and the manifest table: what a corpus consists of, in the same words for every layout.

The manifest (`data/manifests/<corpus>.csv`, kept in git) has the columns of `MANIFEST_COLUMNS`.
Paths are relative to the corpus root; an empty cell means the recording has no such medium.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Partition = Literal["train", "dev", "test"]
PARTITIONS: tuple[Partition, Partition, Partition] = ("train", "dev", "test")
MANIFEST_COLUMNS = ("recording", "partition", "speaker", "audio", "video", "audio_sha256", "video_sha256")


@dataclass(frozen=True)
class Recording:
    """One session or utterance.

    `audio` and `video` are paths relative to the corpus root (they may be the same file); the
    sha256 is empty until the medium was seen by `register`.
    """

    recording: str
    partition: Partition
    speaker: str
    audio: Path | None
    video: Path | None
    audio_sha256: str = ""
    video_sha256: str = ""

    def medium(self, modality: str) -> Path | None:
        """Return the path of the medium for `modality`, relative to the corpus root."""
        return {"audio": self.audio, "video": self.video}[modality]

    def sha256(self, modality: str) -> str:
        """Return the sha256 of the medium for `modality`, empty if it was never seen."""
        return {"audio": self.audio_sha256, "video": self.video_sha256}[modality]
