"""Recordings with sound, pictures, or both, in one line each."""

from __future__ import annotations

from pathlib import Path

from pipeline.corpora.recording import Medium, Partition, Recording


def recording(
    name: str,
    partition: Partition,
    speaker: str,
    audio: Path | None = None,
    video: Path | None = None,
    audio_sha256: str = "",
    video_sha256: str = "",
) -> Recording:
    """Return a recording whose media are those that are not None."""
    given = {"audio": (audio, audio_sha256), "video": (video, video_sha256)}
    media = {modality: Medium(path, sha256) for modality, (path, sha256) in given.items() if path is not None}
    return Recording(name, partition, speaker, media)
