"""Recordings of the speaker to come, or the name of one who is enrolled -> what recognisers scale by.

One speaker for all inputs of a call. Files are read in a process of their own, as all others are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from pipeline.predicting.inputs import listed
from pipeline.predicting.medium import InputError
from pipeline.predicting.work import loaded, reason_of
from pipeline.recogniser.description import Description
from pipeline.recogniser.enrolment import Enrolment, enrol_file
from pipeline.recogniser.speaker_files import speakers_folder
from pipeline.recogniser.speakers import read_speaker
from pipeline.running.guarded import Lost
from pipeline.running.parallel import run_guarded


def by_speaker(about: Description) -> bool:
    """Say whether a recogniser scales features by what is known of the speaker."""
    return about.made_corpus.learning.scaling.speaker != "none"


def speaker_of(
    folders: Sequence[Path],
    device: str,
    enrol: Path | None,
    name: str | None,
    say: Callable[[str], None],
    time_limit: float | None = None,
) -> Enrolment | None:
    """Return what is known of the speaker; None: nothing.

    enrol: a folder of recordings of the speaker. name: of one who is enrolled. say: prints a sentence.

    Raises:
        InputError: no recording of the folder can be used.
        RecogniserError: nobody of that name is enrolled.
    """
    if name is not None:
        return read_speaker(speakers_folder(), name)
    if enrol is None:
        return None
    media = listed([enrol]).media
    own = recordings_of(folders, device, [medium.path for medium in media], say, time_limit)
    if not own:
        raise InputError(f"--enrol {enrol}: no recording of it can be used")
    say(f"{len(own)} of {len(media)} recordings of the speaker are used")
    enrolment = Enrolment(str(enrol))
    for recording in own:
        enrolment = enrolment.joined(recording)
    return enrolment


def recordings_of(
    folders: Sequence[Path],
    device: str,
    paths: Sequence[Path],
    say: Callable[[str], None],
    time_limit: float | None = None,
) -> list[Enrolment]:
    """Return what recognisers keep of recordings of one speaker, in their order, of each that can be used.

    Files are read one after the other, in a process that each may end without taking the others along. say:
    prints a sentence on each that cannot be used, or not by all recognisers.

    Raises:
        NotReadyError, RecogniserError: what would meet every file.
    """
    found: dict[Path, Enrolment] = {}
    common = (tuple(folders), device)
    for outcome in run_guarded(enrolled, common, paths, workers=1, time_limit=time_limit):
        if isinstance(outcome, Lost):
            reason = outcome.reason.replace("runtime.time_limit", "--time-limit")
            outcome = _Read(outcome.task, None, (f"{outcome.task}: not enrolled: {reason}",))
        for sentence in outcome.problems:
            say(sentence)
        if outcome.enrolment is not None:
            found[outcome.path] = outcome.enrolment
    return [found[path] for path in dict.fromkeys(paths) if path in found]


class _Read(NamedTuple):
    """What became of a file. enrolment: of it alone; None: it cannot be used. problems: in sentences."""

    path: Path
    enrolment: Enrolment | None
    problems: tuple[str, ...] = ()


def enrolled(folders: Sequence[Path], device: str, path: Path) -> _Read:
    """Return the enrolment of one file, or why there is none.

    Raises:
        NotReadyError, RecogniserError: what would meet every file.
    """
    recognisers = [loaded(folder, device) for folder in folders]
    try:
        own = enrol_file([own for own in recognisers if own.models.by_speaker], path)
    except Exception as error:  # noqa: BLE001  (whatever a decoder throws is about this file)
        return _Read(path, None, (f"{path}: not enrolled: {reason_of(path, error)}",))
    return _Read(path, *own)


def digest(enrolment: Enrolment | None) -> str:
    """Return what tells one enrolment from another, without saying whose it is."""
    if enrolment is None:
        return ""
    known = {key: sorted(entry.media) for key, entry in enrolment.entries.items()}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
