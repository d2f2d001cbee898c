import errno
import fcntl
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.store.roots import registered
from pipeline.store.units import StoreError, UnitStore, unit_key


def test_key_is_the_hash_of_canonical_json():
    assert unit_key(b=1, a="x") == hashlib.sha256(b'{"a":"x","b":1}').hexdigest()
    assert unit_key(a=1) != unit_key(a=2)


def test_put_then_get_and_absent_is_none(tmp_path):
    store = UnitStore(tmp_path)
    assert store.get("audio", "ab" * 32) is None
    store.put("audio", "ab" * 32, b"payload")
    assert store.get("audio", "ab" * 32) == b"payload"
    assert store.has("audio", "ab" * 32)
    assert not store.has("video", "ab" * 32)


def test_a_damaged_unit_counts_as_absent_and_is_named(tmp_path, caplog):
    store, key = UnitStore(tmp_path), "cd" * 32
    store.put("audio", key, b"payload")
    path = store.path("audio", key)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert store.get("audio", key) is None
    assert key in caplog.text
    store.put("audio", key, b"payload")
    assert store.get("audio", key) == b"payload"


def test_killed_while_writing_leaves_no_unit(tmp_path):
    """A process killed after its temporary file was written, before the rename, leaves nothing to be read."""
    code = (
        "import os, sys; from pathlib import Path; from pipeline.store.units import UnitStore\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        f"UnitStore(Path({str(tmp_path)!r})).put('audio', 'ef' * 32, b'x' * 100000)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    store = UnitStore(tmp_path)
    assert store.get("audio", "ef" * 32) is None
    assert not store.has("audio", "ef" * 32)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [(errno.ENOSPC, "no space left for a unit of 7 bytes"), (errno.EROFS, "runtime.store in params.yaml")],
)
def test_full_or_read_only_disk_is_one_clear_sentence(tmp_path, monkeypatch, number, sentence):
    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    store = UnitStore(tmp_path)
    with pytest.raises(StoreError, match=sentence):
        store.put("audio", "ab" * 32, b"payload")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
@pytest.mark.parametrize("how", ["in_use", "alone"])
def test_a_file_system_without_locks_is_refused(tmp_path, monkeypatch, number, how):
    def none(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", none)
    sentence = r"cannot lock files \(.*\); set runtime\.store in params\.yaml to a folder on a local disk"
    with pytest.raises(StoreError, match=sentence), getattr(UnitStore(tmp_path), how)():
        pytest.fail("it went on without a lock")


@pytest.mark.parametrize("how", ["in_use", "alone"])
def test_a_file_system_whose_locks_do_not_exclude_is_refused(tmp_path, monkeypatch, how):
    monkeypatch.setattr(fcntl, "flock", lambda *_: None)
    sentence = r"grants a lock that is held a second time.*set runtime\.store in params\.yaml"
    with pytest.raises(StoreError, match=sentence), getattr(UnitStore(tmp_path), how)():
        pytest.fail("it went on with a lock that does not exclude")


def test_locks_that_exclude_let_stages_share_and_one_prune_alone(tmp_path):
    store = UnitStore(tmp_path)
    two = (store.in_use(), UnitStore(tmp_path).in_use())
    with two[0], two[1], pytest.raises(StoreError, match="a stage is running"), store.alone():
        pytest.fail("alone beside two stages")
    with store.alone():
        pass


def test_a_store_that_cannot_be_written_is_read_and_asks_for_no_lock(tmp_path, monkeypatch):
    store, key = UnitStore(tmp_path), "ab" * 32
    store.put("audio", key, b"payload")
    opened = Path.open

    def read_only(path, mode="r", *rest, **options):
        if mode[0] in "wa":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, mode, *rest, **options)

    def none(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr(fcntl, "flock", none)
    with store.in_use(), registered(store, tmp_path):
        assert store.get("audio", key) == b"payload"
    with pytest.raises(StoreError, match="the store is not writable"), store.alone():
        pytest.fail("alone in a store that cannot be written")
