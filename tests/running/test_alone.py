"""One process at a time in a folder, whatever its file system locks."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import threading

import pytest

from pipeline.running.alone import LOCK, alone_in


def require_exclusion(folder):
    """Hold that a second one comes in when the first one has gone."""
    order = []

    def second():
        with alone_in(folder):
            order.append("second")

    thread = threading.Thread(target=second)
    with alone_in(folder):
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_a_second_one_waits_and_nothing_is_left(tmp_path):
    require_exclusion(tmp_path)
    assert not list(tmp_path.iterdir())


def test_where_folders_have_no_locks_a_file_of_it_has(tmp_path, monkeypatch):
    """As on NFS, where a lock that excludes needs what is open for writing."""
    real = fcntl.flock

    def nfs(descriptor, how):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", nfs)
    require_exclusion(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [LOCK]


def test_a_file_system_without_locks_is_a_sentence(tmp_path, monkeypatch):
    def none(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", none)
    with (
        pytest.raises(OSError, match=r"its file system has no locks .*name a folder on a local disk"),
        alone_in(tmp_path),
    ):
        pass
