"""Files that features need and that no package brings: with a recogniser, or referred to by their sha256.

In a corpus' parameters they are paths of the user's machine; in recogniser.json plain names, which are looked
for in the recogniser's folder `networks`, or in one that whoever loads it names.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from pipeline.catalogue.extractors import EXTRACTORS
from pipeline.features.extractor import entry_of
from pipeline.params import Corpus
from pipeline.recogniser.description import NETWORKS, NetworkFile
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.file_features import stages_of

logger = logging.getLogger(__name__)

HASHES = ("weights", "vectors")
"""What fingerprints call the sha256 of such a file."""
ANYWHERE = tuple(dict.fromkeys(entry.needs_file for entry in EXTRACTORS if entry.needs_file))


def files_needed(corpus: Corpus, modalities: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give the keys of the parameters that name such files, each with the stage that reads it."""
    for modality in modalities:
        for stage in stages_of(corpus, modality):
            if key := entry_of(stage, corpus).needs_file:
                yield key, stage


def pack(
    corpus: Corpus,
    parameters: Mapping[str, Any],
    extraction: Mapping[str, Mapping[str, Mapping[str, Any]]],
    root: Path,
) -> tuple[list[NetworkFile], dict[str, Path], dict[str, Any]]:
    """Return what recogniser.json says of such files, those to copy, and the parameters without paths.

    parameters: of the corpus, as JSON has them. extraction: by modality and stage. root: of the checkout.
    A file that is not here, since features were pulled without it, is referred to; vectors in a folder too.
    """
    kept: dict[str, Any] = deepcopy(dict(parameters))
    by_stage = {stage: about for stages in extraction.values() for stage, about in stages.items()}
    entries, copied = list[NetworkFile](), dict[str, Path]()
    for key, stage in dict(files_needed(corpus, extraction)).items():
        path = root / str(_get(kept, key))
        name = f"{NETWORKS}/{_plain(path.name)}"
        if name in {entry.name for entry in entries}:
            name = f"{NETWORKS}/{_plain(key)}-{_plain(path.name)}"
        sha256 = next(by_stage[stage][word] for word in HASHES if word in by_stage[stage])
        included = corpus.export.networks == "copy" and path.is_file()
        if included:
            copied[name] = path
        elif corpus.export.networks == "copy":
            logger.warning("%s: no such file, so the recogniser refers to it by its sha256", path)
        entries.append(NetworkFile(key=key, name=name, sha256=sha256, included=included))
        _set(kept, key, name)
    for key in ANYWHERE:  # of modalities that are not needed: no path of a machine goes out
        value = _get(kept, key)
        if isinstance(value, str) and key not in {entry.key for entry in entries}:
            _set(kept, key, Path(value).name)
    return entries, copied, kept


def unpack(
    corpus: Corpus,
    needed: Iterable[str],
    networks: Iterable[NetworkFile],
    folder: Path,
    elsewhere: Path | None,
) -> Corpus:
    """Return the corpus with the paths of such files on this machine.

    needed: modalities whose features are made. folder: of the recogniser. elsewhere: where files lie that did
    not come with it.

    Raises:
        RecogniserError: a file is needed that the description does not name.
    """
    by_key = {entry.key: entry for entry in networks}
    wanted = dict(files_needed(corpus, needed))
    parameters = corpus.model_dump(mode="json")
    for key in wanted:
        if key not in by_key:
            raise RecogniserError(
                f"{folder}: its features need the file of {key}, which recogniser.json does not list under "
                "networks"
            )
    for key, entry in by_key.items():
        if key not in wanted:
            raise RecogniserError(
                f"{folder}: recogniser.json lists the file of {key[:100]}, which nothing reads"
            )
        path = folder / entry.name
        if not entry.included and elsewhere is not None:
            path = elsewhere / Path(entry.name).name
        _set(parameters, key, str(path))
    return Corpus.model_validate(parameters)


def require_networks(corpus: Corpus, modality: str, networks: Iterable[NetworkFile]) -> None:
    """Refuse to make features without a file that did not come with the recogniser.

    corpus: as `unpack` returned it.

    Raises:
        RecogniserError: which file is missing, and where it belongs.
    """
    parameters = corpus.model_dump(mode="json")
    wanted = dict(files_needed(corpus, [modality]))
    for entry in networks:
        if entry.key in wanted and not Path(path := _get(parameters, entry.key)).exists():
            raise RecogniserError(
                f"{path}: no such file, and features of {modality} need it: put the file of {entry.key} with "
                f"the sha256 {entry.sha256} there, or name the folder that holds it (`networks`)"
            )


def _plain(name: str) -> str:
    """Return a name that `FileName` takes."""
    return re.sub(r"[^A-Za-z0-9_.+-]", "_", name).lstrip(".+-")[-120:] or "file"


def _get(parameters: Mapping[str, Any], key: str) -> Any:
    value: Any = parameters
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _set(parameters: dict[str, Any], key: str, value: str) -> None:
    *groups, last = key.split(".")
    for part in groups:
        parameters = parameters[part]
    parameters[last] = value
