"""Recordings of the speaker to come, or the name of one who is enrolled -> what recognisers scale by.

One speaker for all inputs of a call. Files are read in a process of their own, as all others are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.features.media.opening import MediaError
from pipeline.predicting.inputs import InputError, listed
from pipeline.predicting.work import loaded
from pipeline.recogniser.description import Description
from pipeline.recogniser.enrolment import Enrolment, enrol_file
from pipeline.recogniser.speakers import read_speaker, speakers_folder
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
    enrolment, used = Enrolment(str(enrol)), 0
    # one after the other: what is known so far goes along, and a file that kills its process is left out
    for medium in media:
        common = (tuple(folders), device, enrolment)
        for outcome in run_guarded(enrolled, common, [medium.path], workers=1, time_limit=time_limit):
            if isinstance(outcome, Lost):
                say(f"{medium.name}: not enrolled: {outcome.reason}")
            elif isinstance(outcome, str):
                say(f"{medium.name}: not enrolled: {outcome}")
            else:
                enrolment, used = outcome, used + 1
    if not used:
        raise InputError(f"--enrol {enrol}: no recording of it can be used")
    say(f"{used} of {len(media)} recordings of the speaker are used")
    return enrolment


def enrolled(folders: Sequence[Path], device: str, enrolment: Enrolment, path: Path) -> Enrolment | str:
    """Return the enrolment with one file more, or why that cannot be used."""
    recognisers = [loaded(folder, device) for folder in folders]
    try:
        return enrol_file([own for own in recognisers if own.models.by_speaker], path, enrolment)
    except MediaError as error:
        return str(error).removeprefix(f"{path}: ")


def digest(enrolment: Enrolment | None) -> str:
    """Return what tells one enrolment from another, without saying whose it is."""
    if enrolment is None:
        return ""
    known = {key: sorted(entry.media) for key, entry in enrolment.entries.items()}
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]
