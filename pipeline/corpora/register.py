"""Corpus on disk -> the manifest with the sha256 of its media, and its annotation traces.

Runs at each `dvc repro`, so it reads only what changed: media are hashed when their length or time
of change differ, annotations are parsed when one of their files differs. What did not change is
not rewritten.

The manifest lies in git and outlives the media: on a clone without media it is kept as it is, and
a clone with some media adds its own recordings to the rows of its colleagues, whose hashes and
traces stay. So a recording is never dropped because its files are not here. To drop one, delete its
row in the manifest and its files (and its line in the corpus' own list); in the layout `table`,
recordings.csv is the list, and deleting the line there is enough.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.hashes import HashCache, file_stat, hash_media, load_cache, save_cache
from pipeline.corpora.interface import CorpusLayout, Listing, Wanted
from pipeline.corpora.layouts.known import NONE, layout_of
from pipeline.corpora.problem_file import PROBLEMS, read_problems
from pipeline.corpora.problems import NotOnDisk, Problem
from pipeline.corpora.recording import Medium, Recording, format_manifest, read_manifest
from pipeline.corpora.registered_features import register_features
from pipeline.corpora.registered_traces import (
    hashes_of,
    require_traces,
    write_traces,
)
from pipeline.location import Location
from pipeline.names import composed

if TYPE_CHECKING:
    from pipeline.params import Corpus
    from pipeline.paths import Paths

VERSION = 2
"""Raised whenever the same annotations give other traces, so that they are read again."""


@dataclass(frozen=True)
class RegisterSummary:
    """What `register` found and did.

    recordings: rows of the manifest. added, changed, dropped: against the manifest before. absent:
    recordings with a medium that is in the manifest and not here. missing: recordings that the
    corpus lists and nobody has. hashed: files hashed in this run. problems: rows of problems.csv.
    feature_files: rows of the table of feature files. without_media: nothing of the corpus is here, all
    was kept. manifest_written, traces_written: whether bytes changed.
    """

    recordings: int
    added: int = 0
    changed: int = 0
    dropped: int = 0
    absent: int = 0
    missing: int = 0
    hashed: int = 0
    problems: int = 0
    feature_files: int = 0
    without_media: bool = False
    manifest_written: bool = False
    traces_written: bool = False

    def __str__(self) -> str:
        """Return one line for the log."""
        if self.without_media:
            return f"{self.recordings} recordings, no media here: manifest and traces kept as they are"
        counts = {
            "added": self.added,
            "changed": self.changed,
            "dropped": self.dropped,
            "absent here": self.absent,
            "missing": self.missing,
            "problems": self.problems,
            "feature files": self.feature_files,
            "files hashed": self.hashed,
        }
        shown = [f"{count} {what}" for what, count in counts.items() if count]
        return ", ".join([f"{self.recordings} recordings", *shown])


def register(
    corpus: Corpus, paths: Paths, hashes: Path, corpora: Mapping[str, Corpus] = NONE
) -> RegisterSummary:
    """Bring manifest and traces of a corpus up to date with what is on disk.

    Args:
        corpus: its parameters; `layout`, `root` and what `Wanted` takes from it are used.
        paths: where the manifest, the table of feature files and the traces go.
        hashes: cache of hashes on this machine, a JSON file outside git.
        corpora: all corpora by name; a mixed one takes its sources from them.

    Raises:
        ValueError: there is neither the corpus nor a manifest; the manifest or a list of the corpus
            cannot be used; there is no file of an entry of `features`; rows were kept for colleagues and
            the traces are not here.
    """
    reader = layout_of(corpus, paths, corpora)
    root, wanted = paths.root / corpus.root, Wanted.of(corpus)
    rows = read_manifest(paths.manifest) if paths.manifest.is_file() else []
    before = {item.recording: item for item in rows}
    if not reader.found(root):
        return _without_media(paths, root, reader, before, wanted)

    cache = load_cache(hashes, str(paths.manifest.absolute()))
    save = partial(save_cache, hashes, str(paths.manifest.absolute()), cache)
    listing = reader.list_recordings(root, wanted)
    recordings, absent = _merge(listing, before, root, reader)
    if not recordings:
        raise ValueError(
            f"corpora.{paths.corpus}.root: {root} holds no recording, expected {reader.expected}, and media"
        )
    outside = wanted.media_folders
    features = register_features(paths, reader, root, wanted.features, recordings, cache, save, outside)
    recordings, unreadable, hashed = _hash(recordings, absent, root, cache, save)
    cache.forget_others()
    hashed += features.hashed
    missing = [name for name in listing.missing if name not in recordings]
    problems = [
        item for item in listing.problems if not isinstance(item, NotOnDisk) or item.recording not in absent
    ]
    problems += features.problems
    if hashed:
        # Kept even if the annotations turn out to be wrong: hashing is the expensive part.
        save()
    manifest_written = write_if_changed(paths.manifest, format_manifest(recordings.values()))

    fingerprint = _fingerprint(reader, root, recordings, absent, problems + unreadable)
    traces_written = False
    if fingerprint != cache.fingerprint or hashes_of(paths.traces) != cache.written:
        traces_written = write_traces(paths, reader, root, recordings, absent, problems + unreadable)
        cache.fingerprint, cache.written = fingerprint, hashes_of(paths.traces)
    save()
    return RegisterSummary(
        recordings=len(recordings),
        added=len(recordings.keys() - before.keys()),
        changed=sum(before[name] != item for name, item in recordings.items() if name in before),
        dropped=len(before.keys() - recordings.keys()),
        absent=len(absent),
        missing=len(missing),
        hashed=hashed,
        problems=len(read_problems(paths.traces / PROBLEMS)),
        feature_files=len(features.files),
        manifest_written=manifest_written,
        traces_written=traces_written,
    )


def _without_media(
    paths: Paths, root: Location, reader: CorpusLayout, before: dict[str, Recording], wanted: Wanted
) -> RegisterSummary:
    if not before:
        raise ValueError(reader.not_there(paths.corpus, root))
    require_traces(paths)
    features = register_features(paths, reader, root, wanted.features, before, HashCache())
    return RegisterSummary(
        recordings=len(before),
        absent=len(before),
        feature_files=len(features.files),
        problems=len(read_problems(paths.traces / PROBLEMS)),
        without_media=True,
    )


def _merge(
    listing: Listing, before: dict[str, Recording], root: Location, reader: CorpusLayout
) -> tuple[dict[str, Recording], set[str]]:
    """Join what is listed now with the rows of the manifest: all recordings, and the absent ones."""
    merged = {item.recording: item for item in listing.recordings}
    before = before if listing.kept is None else dict(listing.kept)
    if not reader.csv_is_the_list:
        merged = {**before, **merged}

    absent = set()
    for name, old in before.items():
        if name not in merged:
            continue
        for modality, medium in old.media.items():
            now = merged[name].media.get(modality)
            # A csv that is the list may name another file, or none any more; a folder cannot say so. The form
            # of Unicode is that of the machine where the file was seen.
            same = (medium,) if reader.csv_is_the_list else (medium, None)
            if not medium.sha256 or _form(now) not in map(_form, same):
                continue
            if not (root / medium.path).is_file():
                merged[name] = replace(merged[name], media={**merged[name].media, modality: medium})
                absent.add(name)
    return dict(sorted(merged.items())), absent


def _form(medium: Medium | None) -> str | None:
    return None if medium is None else composed(str(medium))


def _hash(
    recordings: dict[str, Recording],
    absent: set[str],
    root: Location,
    cache: HashCache,
    save: Callable[[], None],
) -> tuple[dict[str, Recording], list[Problem], int]:
    """Fill in the sha256 of every file that is here; of a cell the layout has given it."""
    base = root.absolute()
    here = {
        medium.path: base / medium.path
        for item in recordings.values()
        for medium in item.media.values()
        if not medium.column
    }
    files = {path: full for path, full in here.items() if file_stat(full) is not None}
    digests, failed, hashed = hash_media(files.values(), cache, save)
    filled, problems = {}, []
    for name, item in recordings.items():
        media = {}
        for modality, medium in item.media.items():
            path, sha256 = medium.path, medium.sha256
            if not medium.column and path in files:
                sha256 = digests.get(files[path], "")
                if files[path] in failed:
                    problems.append(Problem(name, path.as_posix(), failed[files[path]]))
            elif not medium.column and name not in absent:
                sha256 = ""
            media[modality] = replace(medium, sha256=sha256)
        filled[name] = replace(item, media=media)
    return filled, list(dict.fromkeys(problems)), hashed


def _fingerprint(
    reader: CorpusLayout,
    root: Location,
    recordings: dict[str, Recording],
    absent: set[str],
    problems: list[Problem],
) -> str:
    """Return a hash of all that the traces depend on, without reading an annotation."""
    annotations = [(str(path.absolute()), file_stat(path)) for path in reader.annotation_files(root)]
    state = [VERSION, annotations, list(recordings), sorted(absent), problems, *reader.parameters]
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()
