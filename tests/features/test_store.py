import errno
import hashlib
import os
import subprocess
import sys

import pytest

from pipeline.features.store import StoreError, UnitStore, unit_key


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
        "import os, sys; from pathlib import Path; from pipeline.features.store import UnitStore\n"
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
