"""Media files -> sha256, computed once per (path, length, time of change) on this machine.

The cache is a JSON file outside git. It holds nothing that cannot be computed again: a damaged or
missing file is ignored and rebuilt.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

from pipeline.corpora.atomic import write_if_changed
from pipeline.location import Location, RemoteError, RemotePath
from pipeline.running.progress import tracked
from pipeline.store.digest import sha256_of

logger = logging.getLogger(__name__)

VERSION = 1
SAVE_EVERY = 30.0
"""Seconds."""
DOWNLOADS = 8
"""Files behind URLs that are hashed at once."""
Stat = tuple[int, int | str]
"""Length in bytes, and time of change in ns or, behind a URL, the ETag."""


@dataclass
class HashCache:
    """What this machine knows of one corpus.

    media: absolute path -> [length in bytes, time of change in ns, sha256]. fingerprint: of the
    annotations when the traces were last written. written: name of a written file -> its sha256. asked:
    the files that were asked for since it was loaded.
    """

    media: dict[str, list[Any]] = field(default_factory=dict)
    fingerprint: str = ""
    written: dict[str, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def known(self, path: Location, stat: Stat) -> str | None:
        """Return the sha256 of a file that has not changed since it was hashed."""
        entry = self.media.get(str(path))
        return str(entry[2]) if entry is not None and (entry[0], entry[1]) == stat else None

    def forget_others(self) -> None:
        """Forget the files that nobody asked for: they have left the corpus."""
        self.media = {path: entry for path, entry in self.media.items() if path in self.asked}


def file_stat(path: Location) -> Stat | None:
    """Return length in bytes and time of change in ns (of a URL: its ETag); None if there is no such file.

    Raises:
        RemoteError: a URL whose server does not answer.
    """
    if isinstance(path, RemotePath):
        return path.stamp()
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_size, stat.st_mtime_ns


def load_cache(path: Path, corpus: str) -> HashCache:
    """Read what the cache file knows of `corpus`; an empty cache if it cannot be used."""
    try:
        entry = json.loads(path.read_bytes())
        if entry["version"] != VERSION:
            return HashCache()
        entry = entry["corpora"].get(corpus, {})
        media = entry.get("media", {})
        if not all(
            len(item) == 3
            and isinstance(item[0], int)
            and isinstance(item[1], int | str)
            and len(item[2]) == 64
            for item in media.values()
        ):
            raise ValueError("an entry is not [length, time, sha256]")
        return HashCache(media, str(entry.get("fingerprint", "")), dict(entry.get("written", {})))
    except FileNotFoundError:
        return HashCache()
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("%s: damaged (%s), media are hashed anew", path, error)
        return HashCache()


def save_cache(path: Path, corpus: str, cache: HashCache) -> None:
    """Write what is known of `corpus`, keeping the other corpora in the file."""
    try:
        whole = json.loads(path.read_bytes())
        corpora = dict(whole["corpora"]) if whole["version"] == VERSION else {}
    except (OSError, ValueError, KeyError, TypeError):
        corpora = {}
    corpora[corpus] = {
        "media": dict(sorted(cache.media.items())),
        "fingerprint": cache.fingerprint,
        "written": cache.written,
    }
    data = json.dumps({"version": VERSION, "corpora": corpora}, separators=(",", ":"))
    write_if_changed(path, data.encode())


def hash_media(
    paths: Iterable[Location], cache: HashCache, save: Callable[[], None] = lambda: None
) -> tuple[dict[Location, str], dict[Location, str], int]:
    """Return the sha256 of each file, hashing only what changed, and bring the cache up to date.

    Args:
        paths: absolute paths of existing files; a path may occur twice.
        cache: changed in place.
        save: called every `SAVE_EVERY` seconds of hashing, so that a killed run loses no more than that.

    Returns:
        sha256 by path, the reason by path of a file that could not be read, and how many files
        were hashed.

    Raises:
        RemoteError: a URL whose server does not answer.
    """
    stats = {path: file_stat(path) for path in dict.fromkeys(paths)}
    cache.asked |= {str(path) for path in stats}
    digests: dict[Location, str] = {}
    failed: dict[Location, str] = {}
    changed: list[Location] = []
    for path, stat in stats.items():
        digest = cache.known(path, stat) if stat is not None else None
        if digest is None:
            changed.append(path)
        else:
            digests[path] = digest
    saved = monotonic()
    for path, digest, reason in tracked(_hashed(changed), "hash media", "files", len(changed)):
        if reason is not None:
            failed[path] = reason
            cache.media.pop(str(path), None)
            continue
        digests[path] = digest
        # The stat from before hashing is kept: a file that changed meanwhile is hashed again next time.
        if stat := stats[path]:
            cache.media[str(path)] = [*stat, digest]
        if monotonic() - saved > SAVE_EVERY:
            save()
            saved = monotonic()
    return digests, failed, len(changed) - len(failed)


Hashed = tuple[Location, str, str | None]
"""A path, its sha256, and why there is none."""


def _hashed(paths: Sequence[Location]) -> Iterable[Hashed]:
    """Hash files, several at once where they come over a network, whose delay is not the processor's."""
    if not any(isinstance(path, RemotePath) for path in paths):
        return map(_one, paths)
    import joblib

    threads = joblib.Parallel(n_jobs=DOWNLOADS, backend="threading", return_as="generator")
    return threads(joblib.delayed(_one)(path) for path in paths)


def _one(path: Location) -> Hashed:
    try:
        return path, sha256_of(path), None
    except RemoteError:
        raise  # a network that fails is no reason to go on without the recording
    except OSError as error:
        return path, "", f"cannot be read: {error.strerror}"
