"""Compiled functions where a cache, a disk or a compiler is not as it should be; compilers are scripts."""

import ctypes
import errno
import logging
import os
import shlex
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.learning.systems.emobed import compiled, compiled_files, compiler
from pipeline.learning.systems.emobed.compiled import NotCompiledError, load
from pipeline.learning.systems.emobed.compiled_check import computes
from pipeline.learning.systems.emobed.compiled_files import cache_folder, whole_files

pytestmark = pytest.mark.skipif(compiled.library() is None, reason="no C compiler here")

COPIES = """#!/bin/sh
test "$1" = --version && {{ echo copier {version}; exit; }}
while test "$1" != -o; do shift; done
echo once >> {log}
{before}
cp {library} "$2"
"""
"""A compiler whose result is a file that is there already."""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Return a library that was really compiled: that which the tests use, if the user's cache keeps it."""
    kept = next(whole_files(cache_folder() or Path(), compiled_files.key()), None)
    if kept is not None:
        return kept
    folder = tmp_path_factory.mktemp("compiled")
    load(folder)
    (path,) = folder.glob("*.so")
    return path


@pytest.fixture
def copier(library, tmp_path, monkeypatch):
    """Put a compiler into CC that copies; `make(...)` returns what says how often it has compiled."""
    script, log = tmp_path / "copier", tmp_path / "log"

    def make(before="", version=1, result=library):
        names = {"library": shlex.quote(str(result)), "log": shlex.quote(str(log))}
        script.write_text(COPIES.format(before=before, version=version, **names))
        script.chmod(0o755)
        monkeypatch.setenv("CC", str(script))
        return lambda: len(log.read_text().splitlines()) if log.exists() else 0

    return make


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def kept(cache):
    return sorted(path.name for path in cache.iterdir())


def test_what_is_kept_is_compiled_once_and_nothing_else_is_left(cache, copier):
    compiles = copier()
    load(cache)
    (name,) = kept(cache)
    assert name.startswith(compiled_files.key())
    load(cache)
    assert compiles() == 1
    assert kept(cache) == [name]


def test_a_name_tells_source_flags_and_processors_apart(monkeypatch, tmp_path):
    native = compiled_files.key()
    assert native != compiled_files.key("-march=x86-64")
    with monkeypatch.context() as patch:
        patch.setattr(compiled_files, "FLAGS", (*compiler.FLAGS, "-g"))
        assert compiled_files.key() != native
    with monkeypatch.context() as patch:
        patch.setattr(compiled_files.platform, "libc_ver", lambda: ("glibc", "2.1"))
        assert compiled_files.key() != native
    copies = tuple(shutil.copytree(folder, tmp_path / folder.name) for folder in compiler.SOURCES)
    with monkeypatch.context() as patch:
        patch.setattr(compiled_files, "SOURCES", copies)
        assert compiled_files.key() == native
        (copies[0] / "gates.h").write_text("/* other */")
        assert compiled_files.key() != native


@pytest.mark.parametrize(
    "lines",
    ["flags\t: fpu sse2", "model name\t: another", "Features\t: fp asimd", "CPU part\t: 0xd0c", None],
)
def test_homes_that_machines_share_have_a_library_for_each_processor(monkeypatch, lines):
    native = compiled_files.key()
    has = lines is not None
    monkeypatch.setattr(compiled_files.Path, "is_file", lambda path: has)
    read = Path.read_text
    monkeypatch.setattr(
        compiled_files.Path, "read_text",
        lambda path, **how: lines if path == Path("/proc/cpuinfo") else read(path, **how),
    )  # fmt: skip
    one = compiled_files.key()
    assert one != native
    monkeypatch.setattr(compiled_files.platform, "node", lambda: "another")
    assert (compiled_files.key() == one) is has  # names tell machines apart where processors cannot


def test_another_version_of_the_compiler_makes_another_library(cache, copier):
    copier()
    load(cache)
    compiles = copier(version=2)
    load(cache)
    assert compiles() == 2
    assert len(kept(cache)) == 2


def test_without_a_compiler_what_another_one_made_is_taken(cache, copier, monkeypatch):
    copier()
    load(cache)
    monkeypatch.setenv("CC", "/nothing/here")
    assert computes(load(cache))
    monkeypatch.setenv("CC", "false")
    assert computes(load(cache))


@pytest.mark.parametrize("left", [b"", b"not a library", None])
def test_a_part_of_a_library_is_not_loaded_but_made_again(cache, copier, left):
    """To load half a library ends a process by a signal."""
    compiles = copier()
    load(cache)
    (path,) = cache.iterdir()
    found = path.read_bytes()
    path.unlink()  # it is loaded here: another file takes its place
    path.write_bytes(found[:9000] if left is None else left)
    assert computes(load(cache))
    assert compiles() == 2


def test_a_library_without_the_functions_is_not_taken(cache, copier, tmp_path):
    source, other = tmp_path / "other.c", tmp_path / "other.so"
    source.write_text("int other(void) { return 1; }")
    compiler._run(
        [*compiler.Compiler.found().command, "-shared", "-fPIC", str(source), "-o", str(other)], {}, 60
    )
    copier(result=other)
    with pytest.raises(NotCompiledError, match=r"does not load: .*gru_bytes"):
        load(cache)
    assert kept(cache) == []


def test_a_library_that_computes_other_values_is_not_taken(cache, copier, monkeypatch, tmp_path):
    copier()
    monkeypatch.setattr(compiled, "computes", lambda loaded: False)
    with pytest.raises(NotCompiledError, match=r"makes computes other values; name another compiler in CC"):
        load(cache)
    assert kept(cache) == []


def test_the_check_sees_other_values():
    class Zeros:
        gru_bytes = staticmethod(lambda sizes: 0)

        @staticmethod
        def gru_forward(sizes, strides, inputs, weights, states, kept, memory):
            ctypes.memset(states, 0, 4 * sizes[1] * sizes[2] * sizes[4])

    assert computes(compiled.library())
    assert not computes(Zeros())


@pytest.mark.parametrize("count", [2, 8])
def test_processes_may_compile_at_the_same_moment(cache, copier, count):
    compiles = copier(before="sleep .3")
    code = f"""
from pathlib import Path
from pipeline.learning.systems.emobed.compiled import load
from pipeline.learning.systems.emobed.compiled_check import computes
from pipeline.learning.systems.emobed.compiled_files import cache_folder, whole_files
assert computes(load(Path({str(cache)!r})))
"""
    started = [subprocess.Popen([sys.executable, "-c", code], env=os.environ) for _ in range(count)]
    assert [process.wait() for process in started] == [0] * count
    assert 1 <= compiles() <= count
    assert len(kept(cache)) == 1


def test_threads_may_compile_at_the_same_moment(cache, copier):
    copier(before="sleep .1")
    gate = threading.Barrier(8)
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _: gate.wait() is not None and computes(load(cache)), range(8)))
    assert len(kept(cache)) == 1


def test_what_a_killed_process_left_is_removed_a_day_later(cache, copier):
    copier()
    for name in ("making-old", "making-new"):
        (cache / name).mkdir(parents=True)
        (cache / name / "made.so").write_bytes(b"half")
    old = time.time() - 25 * 3600
    os.utime(cache / "making-old", (old, old))
    load(cache)
    assert not (cache / "making-old").exists()
    assert (cache / "making-new").exists()


def refuse(number):
    def call(*given, **named):
        raise OSError(number, os.strerror(number), "cache")

    return call


def cannot_be_written(cache, patch):
    cache.parent.mkdir(exist_ok=True)
    cache.write_text("a file where the folder should be")


def read_only(cache, patch):
    made = compiled._temporary
    patch.setattr(compiled, "_temporary", lambda folder: (refuse(errno.EROFS) if folder else made)(folder))


def full(cache, patch):
    patch.setattr(compiled.Path, "replace", refuse(errno.ENOSPC))


def not_executable(cache, patch):
    opened = ctypes.CDLL
    here = str(cache)
    patch.setattr(
        compiled.ctypes, "CDLL",
        lambda name: (refuse(errno.EPERM) if name.startswith(here) else opened)(name),
    )  # fmt: skip


@pytest.mark.parametrize("hardship", [cannot_be_written, read_only, full, not_executable])
def test_where_the_cache_cannot_be_used_it_is_compiled_elsewhere(
    cache, copier, monkeypatch, caplog, hardship
):
    compiles = copier()
    for so_far in (1, 2):
        with monkeypatch.context() as patch:
            if so_far == 1 or hardship is not cannot_be_written:
                hardship(cache, patch)
            caplog.clear()
            assert computes(load(cache))
        assert len(caplog.messages) == 1
        assert caplog.messages[0].startswith(f"the compiled functions of training cannot be kept in {cache}")
        assert "set XDG_CACHE_HOME" in caplog.messages[0]
    assert compiles() >= 2
    assert not cache.is_dir() or kept(cache) == []


def test_a_disk_that_is_full_for_the_compiler_is_not_the_last_word(cache, copier, caplog):
    copier(before=f'case "$2" in {shlex.quote(str(cache))}/*) echo "error: No space left" >&2; exit 1;; esac')
    assert computes(load(cache))
    assert "No space left" in caplog.text
    assert kept(cache) == []


def test_where_nothing_can_be_written_it_is_said(cache, copier, monkeypatch):
    copier()
    monkeypatch.setattr(compiled, "_temporary", refuse(errno.ENOSPC))
    with pytest.raises(NotCompiledError, match=r"No space left on device.*; elsewhere: .*No space left"):
        load(cache)


def test_without_a_home_it_is_compiled_for_each_process(copier, monkeypatch, caplog):
    copier()
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(compiled_files.Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert compiled_files.cache_folder() is None
    assert computes(load(None))
    assert "cannot be kept, so that every process" in caplog.text
    assert "no home directory" in caplog.text


def test_the_cache_is_where_the_system_says(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert compiled_files.cache_folder() == tmp_path / ".cache" / "emobed"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # is to be ignored
    assert compiled_files.cache_folder() == tmp_path / ".cache" / "emobed"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert compiled_files.cache_folder() == Path("/elsewhere/emobed")


REFUSED = {
    "false": r"`false` failed: exit status 1",
    "true": r"`true` failed: exit status 0",
    "/nothing/here": r"CC is `/nothing/here`, and there is no such program",
    "gcc 'unbalanced": r"which is not a command: No closing quotation",
    "sh -c 'echo an error: of it >&2; exit 3'": r"failed: an error: of it",
    "sh -c 'kill -9 $$'": r"failed: exit status -9",
    "sh -c 'printf \"\\377 error\" >&2; exit 1'": r"failed: . error",
}


@pytest.mark.parametrize("command", REFUSED)
def test_a_compiler_that_fails_is_named(cache, monkeypatch, command):
    monkeypatch.setenv("CC", command)
    with pytest.raises(NotCompiledError, match=REFUSED[command]):
        load(cache)


def test_a_compiler_that_hangs_is_ended_with_all_that_it_started(cache, copier, monkeypatch, tmp_path):
    late = tmp_path / "late"
    copier(before=f"(sleep 2; touch {late}) & sleep 60")
    monkeypatch.setattr(compiler, "SECONDS", 0.3)
    start = time.monotonic()
    with pytest.raises(NotCompiledError, match=r"took more than 0.3 s"):
        load(cache)
    time.sleep(max(0, 2.5 - (time.monotonic() - start)))
    assert not late.exists()
    monkeypatch.setattr(compiler, "SECONDS_TO_SAY", 0.3)
    monkeypatch.setenv("CC", "sh -c 'sleep 60'")
    with pytest.raises(NotCompiledError, match=r"--version` took more than 0.3 s"):
        load(cache)


def test_a_command_may_have_arguments_wrappers_and_spaces(copier, monkeypatch, tmp_path):
    copier()
    script = os.environ["CC"]
    spaced = tmp_path / "a folder of Ärzte" / "my compiler"
    spaced.parent.mkdir()
    spaced.symlink_to(script)
    for place, command in enumerate((str(spaced), f"env {script}", f"'{spaced}' -m64", f"  {script}  ")):
        monkeypatch.setenv("CC", command)
        folder = tmp_path / f"cäche {place}"
        assert computes(load(folder))
        assert len(kept(folder)) == 1


def test_training_is_told_why_it_goes_without(monkeypatch, caplog, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("CC", "false")
    with caplog.at_level(logging.WARNING):
        assert compiled.library.__wrapped__() is None
    (message,) = caplog.messages
    assert message.endswith("the same values up to rounding: `false` failed: exit status 1")


@pytest.mark.slow
def test_a_careless_compiler_is_made_careful(monkeypatch, tmp_path):
    usual = " ".join(compiler.Compiler.found().command)
    monkeypatch.setenv("CC", f"{usual} -Ofast")
    load(tmp_path / "folder with spaces, ä")
    assert repr(2 * float("1e-310")) == "2e-310"  # the whole process would be without subnormal numbers
