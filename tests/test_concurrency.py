"""Two runs at once, full disks, read-only stores, damaged pulls: each a clear sentence, nothing lost."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from pipeline.features.extraction.engine import build_table
from pipeline.running.workshop import Workshop
from pipeline.store.adopt import adopt
from pipeline.store.tables import FeatureTable, TableError
from pipeline.store.units import StoreError, UnitStore
from tests.commands.checkout import key, make_checkout
from tests.features.extraction.test_engine import STAGE, make_jobs
from tests.parameters import write_parameters
from tests.project import Project, tiny_sessions

HOLD = """
import sys, time
from stages.running import run
def hold(context):
    print("in", flush=True)
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 60)
sys.argv = ["stages/extract_audio.py", "demo_sessions"]
run(hold)
"""


def test_the_same_stage_twice_the_second_waits_and_says_who_holds_it(tmp_path):
    make_checkout(tmp_path)
    environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109
    options = {"cwd": tmp_path, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    first = subprocess.Popen([sys.executable, "-c", HOLD], **options)
    assert first.stdout.readline() == b"in\n"
    second = subprocess.Popen([sys.executable, "-c", HOLD.replace("60", "0")], **options)
    said = second.stderr.readline().decode()
    assert f"extract_audio is already running here (process {first.pid}); waiting" in said.replace(
        "@demo_sessions", ""
    )
    assert second.poll() is None
    # killed, as by a user who has lost patience: the lock ends with the process
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert second.stdout.readline() == b"in\n"
    assert second.wait(timeout=10) == 0
    for process in (first, second):
        process.stdout.close()
        process.stderr.close()


@contextmanager
def files_of_at_most(count):
    """Let the kernel refuse larger files, as a full disk would, in this process alone."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


@pytest.fixture
def small_disk(tmp_path):
    """Return a folder on a disk of 64 kB; skipped where mounting is not allowed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True
    ).returncode:
        pytest.skip("mounting a small disk needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=False)


def test_a_full_disk_is_one_sentence_and_finished_units_are_kept(tmp_path, small_disk):
    store = UnitStore(small_disk)
    store.put("audio", key(1), b"x" * 1000)
    with pytest.raises(StoreError, match="no space left for a unit of 100000 bytes; free some and run again"):
        store.put("audio", key(2), b"x" * 100_000)
    assert store.get("audio", key(1)) == b"x" * 1000
    assert store.keys("audio") == {key(1)}
    assert [path for path in small_disk.rglob(".*") if path.is_file()] == []


def test_a_write_that_is_refused_leaves_no_half_unit(tmp_path):
    store = UnitStore(tmp_path)
    with files_of_at_most(5000), pytest.raises(StoreError, match=r"a unit could not be written: .*too large"):
        store.put("audio", key(2), b"x" * 100_000)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_read_only_store_is_read_and_refuses_in_one_sentence(tmp_path):
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    folder = tmp_path / "store"
    build = {"shop": Workshop(UnitStore(folder)), "about": {}}
    build_table(STAGE, jobs, tmp_path / "t", **build)
    if subprocess.run(["mount", "--bind", folder, folder], capture_output=True).returncode:
        pytest.skip("a read-only mount needs root")
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", folder], check=True)
        with build["shop"].store.in_use():
            build_table(STAGE, jobs, tmp_path / "t", **build)
        assert FeatureTable.open(tmp_path / "t").recordings == ["a", "b"]
        adopt(tmp_path / "t", build["shop"].store, "test")
        with pytest.raises(
            StoreError, match=r"the store is not writable; set runtime\.store in params\.yaml"
        ):
            build_table(STAGE, [*jobs, *make_jobs(tmp_path / "media", c="3")], tmp_path / "t", **build)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
    assert len(UnitStore(folder).keys("test")) == 2


def test_a_damaged_pull_is_named_before_it_is_used(tmp_path):
    make_checkout(tmp_path)
    directory = tmp_path / "data/features/demo_sessions/audio"
    (part,) = directory.glob("*.parquet")
    blob = bytearray(part.read_bytes())
    blob[len(blob) // 2] ^= 255
    part.write_bytes(bytes(blob))
    sentence = r"part-000-of-001\.parquet: damaged .*`emobed store repull \S+/audio`"
    with pytest.raises(TableError, match=sentence):
        FeatureTable.open(directory)
    empty = UnitStore(tmp_path / "other")
    with pytest.raises(TableError, match=sentence):
        adopt(directory, empty, "audio")
    assert empty.keys("audio") == set()


def test_a_damaged_unit_without_its_medium_comes_back_from_the_table(tmp_path):
    """What a colleague without media does: the unit is removed when found, `register` takes it over again."""
    jobs = make_jobs(tmp_path / "media", a="1", b="2")
    store = UnitStore(tmp_path / "store")
    build = {"shop": Workshop(store), "about": {}}
    build_table(STAGE, jobs, tmp_path / "t", **build)
    good = store.get("test", jobs[0].key)
    path = store.path("test", jobs[0].key)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    assert store.get("test", jobs[0].key) is None
    assert not path.exists()
    assert adopt(tmp_path / "t", store, "test") == 1
    assert store.get("test", jobs[0].key) == good


STAGES = """
import shutil, sys, time
from pathlib import Path
from pipeline.store.units import UnitStore
from pipeline.features.extraction.engine import build_table
from stages.running import run
from tests.features.extraction.test_engine import STAGE, jobs_of, make_jobs
from dataclasses import replace

name, turns = sys.argv[1], int(sys.argv[2])
table = Path("data/features/demo_sessions/audio")
own = {f"{name}{number}": str(number) for number in range(8)}

def extract(context):
    assert context.store.root == Path("../store").resolve()
    # written once, by the test: four that write the same medium would read it half written
    both = jobs_of(Path("../media"), both1="1", both2="2")
    jobs = make_jobs(Path("media"), **own) + both
    options = {"about": {}}
    build_table(replace(STAGE, kind="audio"), jobs, table, context.workshop, **options)

sys.argv = ["stages/extract_audio.py", "demo_sessions"]
for turn in range(turns):
    shutil.rmtree(table, ignore_errors=True)  # as DVC does before it starts a stage
    time.sleep(0.02)
    run(extract)
"""
PRUNE = """
import sys, time
from pathlib import Path
from pipeline.store import housekeeping
from pipeline.store.units import StoreError, UnitStore

done = 0
while not Path("../stop").exists():
    try:
        housekeeping.prune(UnitStore(Path("../store").resolve()), Path(), 0, delete=True)
        done += 1
    except StoreError as error:
        assert "a stage is running" in str(error), error
    time.sleep(0.001)
print(done)
"""


def test_four_checkouts_and_a_prune_at_once_lose_nothing(tmp_path):
    """Each stage finds what the one before it left, although its table was deleted and others prune."""
    folders = [tmp_path / name for name in ("a", "b", "c", "d", "pruned")]
    environment = os.environ | {"PYTHONPATH": os.getcwd()}  # noqa: PTH109
    options = {"env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    make_jobs(tmp_path / "media", both1="1", both2="2")
    for folder in folders:
        folder.mkdir()
        write_parameters(folder, lambda params: params["runtime"].update(store=str(tmp_path / "store")))
    *checkouts, pruned = folders
    prune = subprocess.Popen([sys.executable, "-c", PRUNE], cwd=pruned, **options)
    running = [
        subprocess.Popen([sys.executable, "-c", STAGES, folder.name, "15"], cwd=folder, **options)
        for folder in checkouts
    ]
    try:
        said = [process.communicate(timeout=120) for process in running]
    finally:
        (tmp_path / "stop").touch()
        done, errors = prune.communicate(timeout=20)
    assert [process.returncode for process in running] == [0] * 4, said
    assert prune.returncode == 0, errors
    assert int(done) > 0
    store = UnitStore(tmp_path / "store")
    for folder in checkouts:
        # of fifteen stages the first computed all: no later one missed a unit
        assert sorted((folder / "media/log").read_text().split()) == [f"{folder.name}{n}" for n in range(8)]
        table = FeatureTable.open(folder / "data/features/demo_sessions/audio")
        assert len(table.recordings) == 10
        assert {table.key(name) for name in table.recordings} <= store.keys("audio")


@pytest.mark.slow
def test_two_dvc_repro_at_once_and_a_damaged_object_in_the_cache(tmp_path):
    project = Project.create(tmp_path / "project", tiny_sessions)
    target = "extract_audio@demo_sessions"
    first = subprocess.Popen(
        [sys.executable, "-m", "dvc", "repro", target], cwd=project.root, env=project.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list((project.root / "data").rglob("rendering.json")):
        assert first.poll() is None
        time.sleep(0.02)
    second = project.run(sys.executable, "-m", "dvc", "repro", target, check=False)
    # dvc's own words: which process holds what
    assert second.returncode != 0
    assert f"(PID {first.pid}): " in second.stderr or "Unable to acquire lock" in second.stderr, second.stderr
    assert first.wait() == 0
    assert project.repro(target) == {"register"}

    # a damaged object in DVC's cache, on a clone without units and media: found, named, removed, pulled
    project.dvc("remote", "add", "--default", "team", str(tmp_path / "remote"))
    project.commit("features")
    project.dvc("push", target, "stages/dvc.yaml:register@demo_sessions")
    project.git("clone", "-q", ".", str(tmp_path / "clone"))
    clone = Project(tmp_path / "clone")
    clone.dvc("pull", target, "stages/dvc.yaml:register@demo_sessions")
    table = clone.root / "data/features/demo_sessions/audio"
    (name,) = json.loads((table / "index.json").read_text())["files"]
    good = (table / name).read_bytes()
    (cached,) = [
        p for p in (clone.root / ".dvc/cache/files").rglob("*") if p.is_file() and p.read_bytes() == good
    ]
    for path in (cached, table / name):
        path.chmod(0o644)
        path.unlink()
        path.write_bytes(good[:-5] + b"wrong")
    cached.chmod(0o444)
    text = clone.dvc("repro", target, check=False)
    assert f"{name}: damaged (its sha256 is not the one in index.json)" in text
    verified = clone.run(sys.executable, "-m", "stages.commands", "store", "verify", "--remove", check=False)
    assert verified.returncode == 1
    assert f"removed {cached}" in verified.stdout
    clone.dvc("pull", target, "stages/dvc.yaml:register@demo_sessions")
    assert (table / name).read_bytes() == good
    assert clone.repro(target) == {"register"}
