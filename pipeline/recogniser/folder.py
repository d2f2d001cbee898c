"""The folder of a recogniser <-> its description: written whole, and verified before anything is used.

Nothing in a folder is run or unpickled, nothing that it names lies outside of it, and every file is held
against the sha256 in the description. Hashes find damage and edits, not forgers.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, ValidationError

from pipeline.corpora.spelling import is_there
from pipeline.params import Corpus
from pipeline.params.sentences import sentences
from pipeline.recogniser.description import DESCRIPTION, FORMAT, IN_THEIR_PLACE, Description, own_sha256
from pipeline.recogniser.error import RecogniserError
from pipeline.store.digest import sha256_of

LARGEST = 1 << 26
"""Bytes of a description: more than any corpus' classes, features' fingerprints and parameters take."""


def write_folder(folder: Path, about: Mapping[str, Any], files: Mapping[str, bytes | Path]) -> Description:
    """Write a recogniser; the description comes last, so that a folder without one is not whole.

    about: the fields of `Description` without `format`, `files` and `sha256`. files: by name, their bytes, or
    a file to copy.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    entries = {}
    for name, content in sorted(files.items()):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        if isinstance(content, Path):
            shutil.copyfile(content, path)
        else:
            path.write_bytes(content)
        entries[name] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    whole = json.loads(json.dumps({"format": FORMAT, **about, "files": entries}))
    whole["sha256"] = own_sha256(whole)
    description = Description.model_validate(whole)
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False)
    (folder / DESCRIPTION).write_text(text + "\n", encoding="utf-8")
    return description


def read_folder(folder: Path) -> Description:
    """Read the description of a recogniser and hold every file of the folder against it.

    Raises:
        RecogniserError: which file, what was found, what would be right.
    """
    if not is_there(folder) or not folder.is_dir():
        there = "a file" if is_there(folder) else "no such folder"
        raise RecogniserError(
            f"{folder}: {there}, expected a recogniser, a folder that the stage export wrote, such as "
            f"{meant(folder) or 'data/recognisers/<corpus>/audio+video.arousal'}"
        )
    path = folder / DESCRIPTION
    if not path.exists():
        instead = meant(folder)
        raise RecogniserError(
            f"{folder}: no {DESCRIPTION} in it, so it is no recogniser or not a whole one"
            + (f"; expected one such as {instead}" if instead else "")
        )
    about = _parsed(path)
    found = about.get("format")
    if found != FORMAT or isinstance(found, bool):
        raise RecogniserError(
            f"{path}: format {str(found)[:40]}, and this version of EmoBed reads {FORMAT}: use the "
            "version that it was made with, or export it anew"
        )
    if about.get("sha256") != own_sha256(about):
        _edited(path, "its sha256 is not the one that it states")
    try:
        description = Description.model_validate(about)
    except ValidationError as error:
        raise RecogniserError(f"{path}: {_first_sentence(error, about, Description)}") from None
    try:
        description.made_corpus  # noqa: B018  (made here, so that nobody later meets parameters of no corpus)
    except ValidationError as error:
        sentence = _first_sentence(error, {**IN_THEIR_PLACE, **description.parameters}, Corpus)
        raise RecogniserError(f"{path}: parameters.{sentence}") from None
    corpus = description.made_corpus
    if description.dimension not in corpus.dimensions or description.task != corpus.task:
        raise RecogniserError(
            f"{path}: predicts {description.dimension[:40]} ({description.task}), expected one of "
            f"{', '.join(corpus.dimensions)} ({corpus.task}), as parameters have it"
        )
    for network in description.networks:
        if network.included and network.name not in description.files:
            raise RecogniserError(
                f"{path}: {network.name} is not listed under files, expected its sha256 there"
            )
    for name, entry in description.files.items():
        file = folder / name
        _require_own(folder, file)
        if file.stat().st_size != entry.bytes:
            _edited(file, f"{file.stat().st_size:,} bytes, expected {entry.bytes:,}")
        if sha256_of(file) != entry.sha256:
            _edited(file, f"its sha256 is not the one in {DESCRIPTION}")
    return description


def meant(folder: Path) -> Path | None:
    """Return a recogniser that may be meant by a folder that is none: within it, or of nearly that name."""
    try:
        if folder.is_dir():
            return next((path.parent for path in _described(folder)), None)
        beside = {path.parent.name: path.parent for path in folder.parent.glob(f"*/{DESCRIPTION}")}
        near = get_close_matches(folder.name, beside, n=1)
    except (OSError, ValueError):  # a name that the system refuses, a folder that must not be listed
        return None
    return beside[near[0]] if near else None


def _described(folder: Path) -> Iterator[Path]:
    """Yield the descriptions at most as deep as export writes them: data/recognisers/<corpus>/<name>."""
    for pattern in ("*", "*/*"):
        yield from sorted(folder.glob(f"{pattern}/{DESCRIPTION}"))


def _parsed(path: Path) -> dict[str, Any]:
    _require_own(path.parent, path)
    if path.stat().st_size > LARGEST:
        raise RecogniserError(f"{path}: {path.stat().st_size:,} bytes, expected {LARGEST:,} at most")
    try:
        about = json.loads(path.read_bytes(), parse_constant=_no_number)
    except (ValueError, RecursionError):
        _edited(path, "no JSON")
    if not isinstance(about, dict):
        _edited(path, "no JSON object")
    return about


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of JSON")


def _require_own(folder: Path, file: Path) -> None:
    """Refuse what is no plain file of the folder: missing, a device, or a link that leads elsewhere."""
    real, base = Path(os.path.realpath(file)), Path(os.path.realpath(folder))
    if not real.is_relative_to(base):
        raise RecogniserError(
            f"{file}: is a link out of the folder, to {real}; expected a file (`cp -rL` makes "
            "a folder of its own)"
        )
    if not file.is_file():
        raise RecogniserError(f"{file}: no such file; the folder is not whole, copy it anew")


def _edited(path: Path, what: str) -> NoReturn:
    raise RecogniserError(f"{path}: {what}: broken off, damaged or edited; copy the folder anew")


def _first_sentence(error: ValidationError, about: Mapping[str, Any], model: type[BaseModel]) -> str:
    """Return the first thing that is wrong with a part of a description, in a sentence."""
    return sentences(error.errors(), about, model)[0]
