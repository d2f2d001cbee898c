"""The cache of hashes: what it remembers, forgets, and keeps of a run that was killed."""

import hashlib

import pytest

from pipeline.corpora import hashes
from pipeline.corpora.hashes import HashCache, hash_media, load_cache, save_cache


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / f"{n}.wav" for n in range(4)]
    for n, path in enumerate(paths):
        path.write_bytes(bytes([n]) * (n + 1))
    return paths


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_hashing_that_is_killed_goes_on_where_it_stopped(files, tmp_path, monkeypatch):
    read, original = [], hashes.sha256_of

    def killed_at_the_third(path):
        if len(read) == 2:
            raise KeyboardInterrupt
        read.append(path)
        return original(path)

    monkeypatch.setattr(hashes, "SAVE_EVERY", -1.0)
    monkeypatch.setattr(hashes, "sha256_of", killed_at_the_third)
    cache = load_cache(tmp_path / "hashes.json", "c")
    with pytest.raises(KeyboardInterrupt):
        hash_media(files, cache, lambda: save_cache(tmp_path / "hashes.json", "c", cache))
    assert read == files[:2]

    monkeypatch.setattr(hashes, "sha256_of", lambda path: read.append(path) or original(path))
    found, failed, hashed = hash_media(files, load_cache(tmp_path / "hashes.json", "c"))
    assert read == files
    assert (found, failed, hashed) == ({path: digest(path) for path in files}, {}, 2)


def test_hashes_are_saved_now_and_then_and_not_after_each_file(files, monkeypatch):
    saves = []
    now = iter([0.0, 10.0, 31.0, 31.0, 40.0, 50.0])
    monkeypatch.setattr(hashes, "monotonic", lambda: next(now))
    hash_media(files, HashCache(), lambda: saves.append(1))
    assert len(saves) == 1


def test_files_that_nobody_asked_for_are_forgotten(files):
    cache = HashCache()
    hash_media(files, cache)
    later = HashCache(dict(cache.media))
    hash_media(files[:1], later)
    hash_media(files[2:3], later)
    assert len(later.media) == 4
    later.forget_others()
    assert set(later.media) == {str(files[0]), str(files[2])}


def test_a_file_that_cannot_be_read_any_more_is_not_remembered(files, monkeypatch):
    cache = HashCache()
    hash_media(files, cache)
    files[1].write_bytes(b"changed, and then taken away")
    original = hashes.sha256_of

    def refused(path):
        if path == files[1]:
            raise PermissionError(13, "Permission denied")
        return original(path)

    monkeypatch.setattr(hashes, "sha256_of", refused)
    found, failed, hashed = hash_media(files, cache)
    assert set(found) == {files[0], files[2], files[3]}
    assert failed == {files[1]: "cannot be read: Permission denied"}
    assert hashed == 0
    assert str(files[1]) not in cache.media
