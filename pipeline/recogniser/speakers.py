"""What is kept of a speaker, in a folder of such files: added to by one process at a time, and read again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.recogniser.enrolment import Enrolment
from pipeline.recogniser.speaker_files import checked_name, speakers, write_entries
from pipeline.running.alone import alone_in


def add_to_speaker(folder: Path, speaker: str, recordings: Sequence[Enrolment]) -> tuple[Path, Enrolment]:
    """Add recordings to what is kept of a speaker, who need not be known; return the file and what it holds.

    recordings: enrolments of one recording each. What other processes add or forget at the same time is done
    before or after, never undone.

    Raises:
        RecogniserError: the name cannot be used, or what is kept is not whole.
        OSError: the folder cannot be written.
    """
    name = checked_name(speaker)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone_in(folder):
        known = name in speakers(folder)
        enrolment = read_speaker(folder, name) if known else Enrolment(name)
        for own in recordings:
            enrolment = enrolment.joined(own)
        return write_speaker(folder, enrolment), enrolment


def write_speaker(folder: Path, enrolment: Enrolment) -> Path:
    """Write a speaker's file and return where; the old one stays until the new one is whole.

    What is kept already is written over: `add_to_speaker` adds to it.

    Raises:
        SpeakerNameError: the name cannot be used.
        OSError: the folder cannot be written.
    """
    return write_entries(folder, enrolment.speaker, enrolment.entries)


def read_speaker(folder: Path, speaker: str) -> Enrolment:
    """Read what is kept of a speaker.

    Raises:
        RecogniserError: there is none of that name, or the file is not whole; which, and what would be right.
    """
    return Enrolment.read(speaker, folder)
