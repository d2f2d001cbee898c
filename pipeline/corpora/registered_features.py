"""Feature files on disk and those of colleagues -> the table of feature files that register writes.

It has the life of the manifest: rows outlive the files, so a clone without them keeps its colleagues'
rows, and a clone with some adds its own. A row goes with its entry in params.yaml, with another `path`
of the entry, and with its recording.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pipeline.corpora.atomic import write_if_changed
from pipeline.corpora.feature_files import (
    FeatureFile,
    format_feature_files,
    read_feature_files,
)
from pipeline.corpora.hashes import HashCache, hash_media
from pipeline.corpora.inside import Inside
from pipeline.corpora.interface import CorpusLayout
from pipeline.corpora.problems import Problem
from pipeline.location import Location

if TYPE_CHECKING:
    from pipeline.paths import Paths


NO_FILE = "its feature file is not on disk"


@dataclass(frozen=True)
class RegisteredFeatures:
    """Feature files of a corpus, those that are here hashed.

    files: rows of the table. problems: recordings without a file, files that cannot be read. hashed:
    files hashed in this run.
    """

    files: list[FeatureFile]
    problems: list[Problem]
    hashed: int


def register_features(
    paths: Paths,
    reader: CorpusLayout,
    root: Location,
    features: Mapping[str, str],
    recordings: Collection[str],
    cache: HashCache,
    save: Callable[[], None] = lambda: None,
    folders: Collection[Path] = (),
) -> RegisteredFeatures:
    """Bring the table of feature files up to date with what is on disk, and write it if it changed.

    Args:
        paths: where the table goes.
        reader: of the corpus.
        root: of the corpus.
        features: path of each entry, relative to `root`.
        recordings: names of the recordings in the manifest.
        cache: of hashes, changed in place.
        save: as in `hash_media`.
        folders: outside the corpus, in which its files may lie.

    Raises:
        ValueError: the table cannot be used, there is no file of an entry, here or in the table, or a file
            lies outside the corpus.
        RemoteError: a URL whose server does not answer.
    """
    found = reader.list_features(root, features) if features else []
    inside = Inside(root, folders)
    for item in found:
        if refused := inside.refusal(Path(item.file)):
            raise ValueError(f"corpora.{paths.corpus}.features.{item.features}.path: {refused}")
    here = {(item.features, item.file) for item in found}
    kept = [
        item
        for item in read_feature_files(paths.feature_files)
        if (item.features, item.file) not in here
        and item.features in features
        and lies_below(item.file, features[item.features])
        and (not item.recording or item.recording in recordings)
    ]
    for name, path in features.items():
        if not any(item.features == name for item in (*found, *kept)):
            raise ValueError(not_there(paths.corpus, name, root, path, reader))
    base = root.absolute()
    digests, failed, hashed = hash_media([base / item.file for item in found], cache, save)
    files = [item._replace(sha256=digests.get(base / item.file, "")) for item in found] + kept
    write_if_changed(paths.feature_files, format_feature_files(files))
    problems = [
        Problem(item.recording, item.file, failed[base / item.file])
        for item in found
        if base / item.file in failed
    ]
    return RegisteredFeatures(sorted(files), problems + missing_files(files, recordings), hashed)


def missing_files(files: Collection[FeatureFile], recordings: Collection[str]) -> list[Problem]:
    """Return a problem for each recording without a file, of features that have one file per recording."""
    of: dict[tuple[str, str], dict[str, str]] = {}
    for item in files:
        if item.recording:
            of.setdefault((item.features, item.dimension), {})[item.recording] = item.file
    problems = []
    for own in of.values():
        folder, _, name = next(iter(own.values())).rpartition("/")
        suffix = name.rpartition(".")[2]
        problems += [
            Problem(recording, f"{folder}/{recording}.{suffix}", NO_FILE)
            for recording in sorted(set(recordings) - own.keys())
        ]
    return problems


def lies_below(file: str, path: str) -> bool:
    """Say whether a file is `path` or lies in it."""
    return PurePosixPath(file).is_relative_to(PurePosixPath(path))


def not_there(corpus: str, name: str, root: Location, path: str, reader: CorpusLayout) -> str:
    """Return the sentence for an entry of which there is no file."""
    return (
        f"corpora.{corpus}.features.{name}.path: found no feature files at {root / path}, expected "
        f"{reader.expected_features}; put them there, name their path, or take {name} out of `features`"
    )
