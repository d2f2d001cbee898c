"""Work spread over a Dask cluster: the same results as here, bounded, and one sentence when it cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.features.extraction.engine import ExtractionError, build_table
from pipeline.features.extraction.jobs import Job
from pipeline.features.extractor import Given
from pipeline.features.media.opening import MediaError
from pipeline.learning.model_file import unit_to_bytes
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.params import ParamsError, Runtime
from pipeline.running import cluster
from pipeline.running import environment as environments
from pipeline.running.environment import ClusterError, environment, require_environment
from pipeline.running.parallel import run_tasks
from pipeline.running.shared_tasks import Piece, Shared
from pipeline.running.workshop import Workshop
from pipeline.store.rows import Rows
from pipeline.store.units import UnitStore
from tests.deadly_tasks import alive
from tests.learning.synthetic import MemoryCache, learning, shop
from tests.learning.systems.emobed.test_training import data
from tests.learning.train_models import train_models
from tests.toy_extractor import toy_stage

RUNNING = threading.Semaphore(1)
ATTEMPTS: dict[str, int] = {}


@pytest.fixture(scope="module")
def scheduler():
    """Return the address of a scheduler with two workers in this process."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, processes=False, dashboard_address=None) as cluster:
        yield cluster.scheduler_address


def power(exponent: int, base: int) -> int:
    return base**exponent


def alone(task: int) -> int:
    """Fail if another task runs in this process."""
    assert RUNNING.acquire(blocking=False)
    time.sleep(0.01)
    RUNNING.release()
    return task


def once_away(name: str) -> str:
    ATTEMPTS[name] = ATTEMPTS.get(name, 0) + 1
    if ATTEMPTS[name] == 1:
        raise OSError("the share is away")
    return name


def based(exponent, about, added):
    return about["base"] ** exponent + added


def read_number(given: Given) -> Rows:
    text = given.path.read_text()
    if text == "bad":
        raise MediaError(f"{given.path}: cannot be decoded")
    extra = 0.0 if given.rows is None else float(given.rows.values.sum())
    values = np.full((1, 1), float(text) + extra, np.float32)
    return Rows(np.zeros(1), np.ones(1), values, np.ones(1, bool), ("number",))


def few(path: Path, valid: np.ndarray) -> None:
    assert valid.tolist() == [True]
    if path.name == "r9":
        raise MediaError(f"{path}: too large")


def test_each_task_gives_its_result(scheduler):
    found = list(run_tasks(power, (3,), range(20), workers=2, scheduler=scheduler))
    assert sorted(found) == [n**3 for n in range(20)]
    assert list(run_tasks(power, (3,), [], workers=2, scheduler=scheduler)) == []


def test_pieces_of_one_list_share_what_some_of_them_need(scheduler):
    shared = [Shared({"base": base}) for base in (2, 3, 5)]
    pieces = (Piece(own, added) for added in range(4) for own in shared)
    found = list(run_tasks(based, (2,), pieces, workers=2, scheduler=scheduler))
    assert sorted(found) == sorted(base**2 + added for added in range(4) for base in (2, 3, 5))


def test_tasks_of_one_process_take_turns(scheduler):
    assert sorted(run_tasks(alone, (), range(12), workers=2, scheduler=scheduler)) == list(range(12))


def test_a_task_that_fails_once_is_tried_again(scheduler):
    assert set(run_tasks(once_away, (), ["a", "b"], workers=2, scheduler=scheduler)) == {"a", "b"}
    assert ATTEMPTS == {"a": 2, "b": 2}


def test_few_tasks_are_in_flight(scheduler):
    handed_out = []

    def tasks():
        for number in range(60):
            handed_out.append(number)
            yield number

    most = cluster.IN_FLIGHT_PER_THREAD * 4
    ahead = []
    for done, _ in enumerate(run_tasks(power, (2,), tasks(), workers=2, scheduler=scheduler)):
        ahead.append(len(handed_out) - done)
    assert len(ahead) == 60
    assert max(ahead) <= most + 1


def test_no_scheduler_is_one_sentence(monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_TIMEOUT", 1.0)
    with pytest.raises(ClusterError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9 within 1 s"):
        list(run_tasks(power, (2,), [1], workers=1, scheduler="tcp://127.0.0.1:9"))


def test_without_dask_the_sentence_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"needs the packages dask and distributed.*\.\[cluster\]"):
        list(run_tasks(power, (2,), [1], workers=1, scheduler="tcp://127.0.0.1:9"))


def test_a_worker_with_other_code_is_refused():
    require_environment(environment())
    with pytest.raises(ClusterError, match=r"pipeline is \w{12}, wanted x; opensmile is \S+, wanted 1\.0\."):
        require_environment({**environment(), "opensmile": "1.0", "pipeline": "x"})


def test_the_scheduler_is_named_in_params_or_in_the_environment(monkeypatch):
    runtime = {"workers": 1, "device": "cpu", "models_at_once": 1, "store": "store"}
    monkeypatch.delenv("DASK_SCHEDULER_ADDRESS", raising=False)
    assert Runtime.model_validate(runtime | {"scheduler": "tcp://a:1"}).cluster is None
    assert (
        Runtime.model_validate(runtime | {"backend": "dask", "scheduler": "tcp://a:1"}).cluster == "tcp://a:1"
    )
    with pytest.raises(ParamsError, match=r"runtime\.scheduler: null"):
        _ = Runtime.model_validate(runtime | {"backend": "dask"}).cluster
    monkeypatch.setenv("DASK_SCHEDULER_ADDRESS", "tcp://b:2")
    assert Runtime.model_validate(runtime | {"backend": "dask"}).cluster == "tcp://b:2"


def test_a_table_made_on_a_cluster_has_the_same_bytes(scheduler, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("media").mkdir()
    numbers = {f"r{i}": "bad" if i == 4 else str(i) for i in range(10)}
    for name, text in numbers.items():
        Path("media", name).write_text(text)
    jobs = [Job(name, f"{name}-".ljust(64, "0"), Path("media", name)) for name in numbers]
    stage = toy_stage(read_number, few)

    def build(where: str, jobs: list[Job], share: float, address: str | None) -> dict[str, bytes]:
        build_table(
            replace(stage, max_failed_share=share),
            jobs,
            Path(where, "table"),
            Workshop(UnitStore(Path(where, "store")), 1, address),
            {},
        )
        return {p.name: p.read_bytes() for p in Path(where, "table").iterdir()}

    here, there = build("here", jobs, 0.2, None), build("there", jobs, 0.2, scheduler)
    assert here == there
    assert b"media/r4: cannot be decoded" in there["failures.csv"]
    assert str(tmp_path).encode() not in there["failures.csv"]
    units = [{p.name for p in Path(where, "store").rglob("r*-*")} for where in ("here", "there")]
    assert units[0] == units[1]
    assert len(units[1]) == 9
    with pytest.raises(ExtractionError, match="2 of 10 recordings failed"):
        build("again", jobs, 0.1, scheduler)


def test_a_grid_trained_on_a_cluster_has_the_same_bytes(scheduler):
    here, there = MemoryCache({}), MemoryCache({})
    expected = train_models(EmoBed(), data(), learning(), shop(here))
    found = train_models(EmoBed(), data(), learning(), shop(there, workers=3, scheduler=scheduler))
    assert [unit_to_bytes(m) for m in found] == [unit_to_bytes(m) for m in expected]
    assert here.units == there.units


def sleep_long(started, task):
    (Path(started) / str(os.getpid())).touch()
    time.sleep(600)


@pytest.mark.parametrize("waiting", ["at work", "idle"])
def test_workers_end_with_the_process_that_started_them(tmp_path, waiting):
    """A killed stage leaves no worker behind that holds memory."""
    work = "t.sleep_long" if waiting == "at work" else "t.note"
    code = (
        "import time; from tests.running import test_parallel as t\n"
        "from pipeline.running.parallel import run_tasks\n"
        f"list(run_tasks({work}, ({str(tmp_path)!r},), range(4), workers=2)); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    workers = [int(path.name) for path in tmp_path.iterdir()]
    assert len(workers) == 2
    assert all(alive(pid) for pid in workers)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [pid for pid in workers if alive(pid)] == []


def note(started, task):
    (Path(started) / str(os.getpid())).touch()
    time.sleep(0.5)


@pytest.mark.parametrize("name", ["layer.c", "layer.h", "learner.py"])
def test_code_is_told_apart_by_all_its_files(monkeypatch, tmp_path, name):
    monkeypatch.setattr(environments, "__file__", str(tmp_path / "running" / "environment.py"))
    (tmp_path / name).write_text("one")
    before = environments._code_sha256()
    (tmp_path / name).write_text("other")
    assert environments._code_sha256() != before
