"""A real scheduler and real workers, one of them killed: the same bytes as on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.corpora.rendering.render import ensure
from pipeline.features.extraction.engine import extract as features
from pipeline.features.extraction.jobs import Stage
from pipeline.features.extractor import extractor_of
from pipeline.labels.align import align
from pipeline.learning.train_corpus import train_corpus
from pipeline.params import Params, load_params
from pipeline.paths import Paths
from pipeline.running.workshop import Workshop
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore
from tests.conftest import ROOT
from tests.parameters import write_parameters
from tests.project import tiny_sessions

pytestmark = pytest.mark.slow

CORPUS = "demo_sessions"
MADE = ("data/features", "data/models", "data/predictions")


class Cluster:
    """A scheduler and workers started by their command lines, in a folder other than the project's."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes: list[subprocess.Popen] = []
        self._start("scheduler", "--port", "0", "--host", "127.0.0.1", "--scheduler-file", str(self.file))
        wait(self.file.exists)
        self.address = yaml.safe_load(self.file.read_text())["address"]

    def _start(self, *command: str) -> subprocess.Popen:
        with (self.folder / f"{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *command, "--no-dashboard"],
                cwd=ROOT, stdout=log, stderr=log, env=os.environ | {"OMP_NUM_THREADS": "1"},
            )  # fmt: skip
        self.processes.append(process)
        return process

    def add_worker(self) -> subprocess.Popen:
        """Start a worker without a nanny: nobody starts it again."""
        return self._start(
            "worker", self.address, "--no-nanny", "--nthreads", "1", "--local-directory", str(self.folder)
        )

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def wait(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def cluster(tmp_path) -> Iterator[Cluster]:
    (tmp_path / "cluster").mkdir()
    made = Cluster(tmp_path / "cluster")
    yield made
    made.stop()


def configured(folder: Path, **runtime: Any) -> Params:
    def change(params: dict[str, Any]) -> None:
        tiny_sessions(params)
        params["runtime"] |= runtime

    return load_params(write_parameters(folder, change))


def extract(params: Params, store: UnitStore) -> None:
    corpus, paths = params.corpus(CORPUS), Paths(CORPUS)
    shop = Workshop(store, params.runtime.workers, params.runtime.cluster)
    recordings = read_manifest(paths.manifest)
    for name, directory, read in (
        ("extract_audio", paths.audio, None),
        ("detect_faces", paths.faces, None),
        ("embed_faces", paths.embeddings, paths.faces),
        ("pool_video", paths.video, paths.embeddings),
    ):
        stage = Stage(name, directory.name, extractor_of(name, corpus))
        table = None if read is None else FeatureTable.open(read)
        features(stage, corpus, recordings, directory, shop.alone() if name == "pool_video" else shop, table)


def train(params: Params, store: UnitStore) -> None:
    paths = Paths(CORPUS)
    recordings = read_manifest(paths.manifest)
    shop = Workshop(store, params.runtime.workers, params.runtime.cluster)
    train_corpus(params.corpus(CORPUS), paths, recordings, shop)


def made() -> dict[str, bytes]:
    return {str(p): p.read_bytes() for folder in MADE for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def units(store: UnitStore, kind: str) -> set[str]:
    return {p.name for p in (store.root / kind).rglob("*") if p.is_file() and p.name[0] != "."}


def killed_at_first(
    kind: str, store: UnitStore, victim: subprocess.Popen, all_units: int
) -> threading.Thread:
    """Kill -9 a worker as soon as the first unit of a kind is there, with others still to come."""

    def watch() -> None:
        wait(lambda: units(store, kind))
        os.kill(victim.pid, signal.SIGKILL)
        left_when_killed[kind] = all_units - len(units(store, kind))

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


left_when_killed: dict[str, int] = {}


def test_a_cluster_that_loses_workers_makes_the_same_bytes(cluster, tmp_path, monkeypatch):
    workers = [cluster.add_worker(), cluster.add_worker()]
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    params = configured(project, workers=1)
    corpus, paths, local = params.corpus(CORPUS), Paths(CORPUS), UnitStore(Path("local"))
    ensure(CORPUS, Path(corpus.root), params.demo, 2)
    register(corpus, paths, Path("hashes.json"))
    extract(params, local)
    align(corpus, paths, {})
    train(params, local)
    expected = made()
    assert len(expected) == 4 * 3 + 4 * 3 + 4  # tables, experiments, raw predictions
    for folder in MADE:
        Path(folder).rename(f"{folder}.local")

    params = configured(project, backend="dask", scheduler=cluster.address, workers=4)
    store = UnitStore(Path("cluster"))
    first = killed_at_first("faces", store, workers[0], 7)
    extract(params, store)
    first.join()
    workers.append(cluster.add_worker())
    second = killed_at_first("models", store, workers[1], 4 * 8)
    train(params, store)
    second.join()

    assert made() == expected
    assert [w.poll() for w in workers] == [-signal.SIGKILL, -signal.SIGKILL, None]
    assert left_when_killed["faces"] >= 2
    assert left_when_killed["models"] >= 8
    for kind in ("audio", "faces", "embeddings", "video", "models"):
        assert units(store, kind) == units(local, kind)
