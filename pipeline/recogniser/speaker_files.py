"""The file of an enrolled speaker: what each scaling needs, as JSON for its owner alone, whole or refused."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.learning.speaker_statistics import SpeakerStatistics
from pipeline.names import composed, refusal
from pipeline.recogniser.enrolment_entry import Entry
from pipeline.recogniser.error import RecogniserError
from pipeline.running.alone import alone_in
from pipeline.running.errors import one_line

FORMAT = 1
SUFFIX = ".json"
LARGEST = 1 << 26
"""Bytes of a file: more than the features of any recogniser take."""
MOST = 1 << 40
"""Recordings or rows of a speaker: more than a life has."""
LONGEST = 100
"""Bytes of a name, which is one of a file."""
VARIABLE = "EMOBED_SPEAKERS"
"""Environment variable that names the folder."""
PLACE = Path("emobed/speakers")
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class SpeakerNameError(RecogniserError):
    """Report a name that no speaker can have here."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Statistics(_Part):
    recordings: list[Annotated[int, Field(ge=0, le=MOST)]]
    rows: list[Annotated[int, Field(ge=0, le=MOST)]]
    mean: list[float]
    deviation: list[Annotated[float, Field(ge=0)]]


class _Scaling(_Part):
    modality: str
    media: list[Hash]
    statistics: _Statistics


class _File(_Part):
    format: Literal[1]
    speaker: str
    scalings: dict[Hash, _Scaling]
    sha256: Hash


def speakers_folder() -> Path:
    """Return where speakers lie if nothing else is said: in the user's own data, outside of any checkout."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local/share") / PLACE


def checked_name(speaker: str) -> str:
    """Return the name in its composed form.

    Raises:
        SpeakerNameError: it cannot be one of a file, or would harm who lists it.
    """
    name = composed(speaker)
    why = refusal(name)
    if not why and any("\ud800" <= sign <= "\udfff" for sign in name):  # bytes of a command line
        why = f"found '{one_line(name)[:60]}', expected a name in UTF-8"
    if not why and (not name.strip() or name != name.strip()):
        why = f"found '{name}', expected a name without blanks at its ends"
    if not why and (name.startswith(".") or any(sign in name for sign in '/\\:*?"<>|')):
        why = f"found '{name[:60]}', expected a name and no path: no / \\ : * ? \" < > |, no dot at its start"
    if not why and len(name.encode()) > LONGEST:
        why = f"found a name of {len(name.encode())} bytes, expected {LONGEST} at most"
    if why:
        raise SpeakerNameError(f"speaker: {why}")
    return name


def write_entries(folder: Path, speaker: str, entries: Mapping[str, Entry]) -> Path:
    """Write a speaker's file and return where; the old one stays until the new one is whole.

    entries: by the fingerprint of a scaling.

    Raises:
        SpeakerNameError: the name cannot be used.
        OSError: the folder cannot be written.
    """
    name = checked_name(speaker)
    whole: dict[str, Any] = {
        "format": FORMAT,
        "speaker": name,
        "scalings": {key: _as_json(entry) for key, entry in sorted(entries.items())},
    }
    whole["sha256"] = _sha256(whole)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{name}{SUFFIX}"
    temporary = _temporary(folder, name)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(whole, sort_keys=True, ensure_ascii=False) + "\n")
    temporary.replace(path)
    return path


def read_entries(folder: Path, speaker: str) -> dict[str, Entry]:
    """Read what is kept of a speaker, by the fingerprint of a scaling.

    Raises:
        RecogniserError: there is none of that name, or the file is not whole; which, and what would be right.
    """
    name = checked_name(speaker)
    path = folder / f"{name}{SUFFIX}"
    if not path.is_file():
        known = speakers(folder)
        raise RecogniserError(
            f"{folder}: no speaker '{name}' is enrolled there, expected "
            + (f"one of {', '.join(known)}" if known else "one that `emobed enrol` wrote")
        )
    if path.stat().st_size > LARGEST:
        raise RecogniserError(f"{path}: {path.stat().st_size:,} bytes, expected {LARGEST:,} at most")
    try:
        about = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        _edited(path, "no JSON")
    found = about.get("format") if isinstance(about, dict) else None
    if found != FORMAT or isinstance(found, bool):
        raise RecogniserError(f"{path}: format {str(found)[:40]}, this version of EmoBed reads {FORMAT}")
    if about.get("sha256") != _sha256(about):
        _edited(path, "its sha256 is not the one that it states")
    try:
        read = _File.model_validate(about)
    except ValidationError as error:
        first = error.errors()[0]
        _edited(path, f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
    if read.speaker != name:
        _edited(path, f"it is of the speaker '{read.speaker[:60]}'")
    return {key: _enrolled(path, own) for key, own in read.scalings.items()}


def speakers(folder: Path) -> list[str]:
    """Return who is enrolled in a folder, by name; nobody where there is none."""
    if not folder.is_dir():
        return []
    return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"[!.]*{SUFFIX}"))


def remove_speaker(folder: Path, speaker: str) -> None:
    """Forget a speaker.

    Raises:
        RecogniserError: nobody of that name is enrolled.
        OSError: the folder cannot be written.
    """
    name = checked_name(speaker)
    path = folder / f"{name}{SUFFIX}"
    if path.is_file():
        with alone_in(folder):  # else somebody who is adding to it would write it again
            _temporary(folder, name).unlink(missing_ok=True)
            path.unlink(missing_ok=True)
        return
    raise RecogniserError(f"{folder}: no speaker '{speaker}' is enrolled there")


def _temporary(folder: Path, name: str) -> Path:
    """Return where a speaker's file is until it is whole; one that a killed process left is written over."""
    return folder / f".{name}.tmp"


def _as_json(entry: Entry) -> dict[str, Any]:
    own = entry.statistics
    arrays = {name: getattr(own, name).tolist() for name in _Statistics.model_fields}
    return {"modality": entry.modality, "media": list(entry.media), "statistics": arrays}


def _enrolled(path: Path, entry: _Scaling) -> Entry:
    own = entry.statistics
    if len({len(getattr(own, name)) for name in _Statistics.model_fields}) != 1:
        _edited(path, f"its lists of {entry.modality} differ in length")
    statistics = SpeakerStatistics(
        np.array(own.recordings, np.int64), np.array(own.rows, np.int64),
        np.array(own.mean, np.float64), np.array(own.deviation, np.float64),
    )  # fmt: skip
    return Entry(entry.modality, statistics, tuple(entry.media))


def _sha256(whole: Mapping[str, Any]) -> str:
    rest = {name: value for name, value in whole.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _edited(path: Path, what: str) -> NoReturn:
    raise RecogniserError(f"{path}: {what}: broken off, damaged or edited; enrol the speaker anew")
