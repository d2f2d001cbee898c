"""The whole line on a small rendered corpus: nothing runs twice, nothing is lost or half-written."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from typing import Any

import pandas as pd
import pytest

from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from tests.project import Project, stages_in, tiny_sessions

pytestmark = pytest.mark.slow

EXTRACTION = {"read_features", "extract_audio", "extract_text", "detect_faces", "embed_faces", "pool_video"}
FEATURES = tuple(f"{stage}@demo_sessions" for stage in sorted(EXTRACTION))
LEARNING = {"train", "postprocess", "evaluate", "certainty", "export", "report"}
"""What an edit of `learning` runs."""
KINDS = ("audio", "faces", "embeddings", "video", "models")


def one_worker(params: dict[str, Any]) -> None:
    """Start no processes beside the stages' own but those that read media: each imports what it needs."""
    tiny_sessions(params)
    params["runtime"]["workers"] = 1


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Project:
    """Return a project whose pipeline has run once and was committed. Tests work on copies."""
    project = Project.create(tmp_path_factory.mktemp("finished") / "project", one_worker)
    ran = project.repro()
    assert ran == {"render_demo", "register", "align_labels"} | EXTRACTION | LEARNING
    project.commit("results")
    return project


@pytest.fixture
def project(finished, tmp_path) -> Project:
    shutil.copytree(finished.root, tmp_path / "project", symlinks=True)
    return Project(tmp_path / "project")


def test_outs_keep_their_contracts(finished):
    paths = Paths("demo_sessions", finished.root)
    with paths.manifest.open(newline="") as file:
        manifest = list(csv.DictReader(file))
    assert {row["partition"] for row in manifest} == {"train", "dev", "test"}
    assert all(len(row["audio_sha256"]) == 64 for row in manifest)
    for modality, width in (("audio", 88), ("video", 512)):
        table = FeatureTable.open(paths.audio if modality == "audio" else paths.video)
        assert table.recordings == sorted(row["recording"] for row in manifest)
        assert all(table.read(name).values.shape == (31, width) for name in table.recordings)
    for path in paths.predictions.glob("*.parquet"):
        columns = ["recording", "time", "partition", "system", "setting", "seed", "prediction", "gold"]
        frame = pd.read_parquet(path)
        assert list(frame.columns) == columns
        assert set(frame["partition"]) == {"dev", "test"}
        assert len(frame.groupby(["system", "setting", "seed"])) == 8
    results = pd.read_csv(paths.results)
    assert list(results.columns) == [
        "target", "auxiliary", "dimension", "system", "setting", "needs", "postprocessed", "partition",
        "metric", "mean", "std", "seeds", "n", "fold", "folds", "std_folds", "selection",
    ]  # fmt: skip
    assert set(results["metric"]) == {"ccc", "ccc_per_recording", "pcc", "rmse"}
    assert set(results["system"]) == {"classic", "joint", "triplet", "emobed"}
    page = paths.report.read_text()
    assert not re.search(r"""(src|href)=["'](https?:)?//""", page)


def test_scores_are_those_of_the_predictions_on_the_original_gold_standard(finished):
    """Recompute one cell of results.csv from the prediction file and the rendered gold standard itself."""
    import audmetric
    import numpy as np

    paths = Paths("demo_sessions", finished.root)
    results = pd.read_csv(paths.results)
    row = results.query(
        "target == 'audio' and dimension == 'arousal' and system == 'classic' and metric == 'ccc' "
        "and partition == 'test' and postprocessed == 0"
    ).iloc[0]
    frame = pd.read_parquet(paths.raw_predictions / "audio+video.arousal.parquet")
    frame = frame.query("system == 'classic' and partition == 'test'")
    gold = []
    for recording, time_ in zip(frame["recording"], frame["time"], strict=True):
        path = finished.root / f"data/raw/demo_sessions/ratings_gold_standard/arousal/{recording}.arff"
        if not gold or gold[-1][0] != recording:
            lines = [line for line in path.read_text().split() if line.startswith(f"{recording},")]
            trace = np.array([[float(v) for v in line.split(",")[1:]] for line in lines])
        gold.append((recording, trace[round(time_ / 0.04), 1]))
    frame = frame.assign(original=[value for _, value in gold])
    np.testing.assert_allclose(frame["gold"], frame["original"], atol=1e-6)
    scores = [audmetric.concordance_cc(f["original"], f["prediction"]) for _, f in frame.groupby("seed")]
    assert row["mean"] == pytest.approx(np.mean(scores), abs=1e-5)
    assert row["std"] == pytest.approx(np.std(scores, ddof=1), abs=1e-5)


def test_editing_alpha_runs_training_and_later_and_trains_only_what_is_new(project):
    before = project.units("models")
    project.edit(lambda p: p["corpora"]["demo_sessions"]["learning"].update(alpha=[0.0, 0.3, 0.5]))
    assert project.repro() == {"register"} | LEARNING
    after = project.units("models")
    assert {k: after[k] for k in before} == before
    # four experiments, two seeds: one alpha more with two betas, and one setting more that classic may choose
    assert len(after) == len(before) + 4 * 2 * (2 + 1)


def test_editing_the_pooling_neither_detects_nor_embeds(project):
    project.edit(lambda p: p["corpora"]["demo_sessions"]["video"]["pooling"].update(statistics=["mean"]))
    assert project.repro(*FEATURES) == {"register", "pool_video"}


def test_a_parameter_there_and_back_trains_nothing_again(project):
    before, lock = project.units("models"), project.hashes()
    project.edit(
        lambda p: p["corpora"]["demo_sessions"]["learning"]["optimiser"].update(learning_rate=1.0e-3)
    )
    project.repro("evaluate@demo_sessions")
    assert project.hashes() != lock
    project.git("checkout", "params.yaml")
    assert project.repro() == {"register"}
    assert project.hashes() == lock
    assert {k: project.units("models")[k] for k in before} == before


def test_one_more_recording_is_extracted_alone(project):
    before = {kind: project.units(kind) for kind in KINDS[:4]}
    project.edit(lambda p: p["demo"]["demo_sessions"].update(test=3))
    assert project.repro(*FEATURES) == {"render_demo", "register"} | EXTRACTION
    for kind, units in before.items():
        after = project.units(kind)
        assert len(after) == len(units) + 1, kind
        assert {k: after[k] for k in units} == units, kind


def test_killed_and_started_again_ends_with_the_same_bytes(finished, tmp_path):
    """Kill the whole run during the extraction of audio, then only `dvc` during that of faces.

    Two processes are at work here, one in the run that ends with the same bytes.
    """
    project = Project.create(tmp_path / "project", tiny_sessions)
    expected = finished.hashes()

    def start():
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", "repro", "report"], cwd=project.root, env=project.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip

    def wait_for(kind, process):
        deadline = time.monotonic() + 240
        while not project.units(kind):
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)

    whole = start()
    wait_for("audio", whole)
    os.killpg(whole.pid, signal.SIGKILL)
    whole.wait()
    early = project.units("audio")
    assert early
    parent = start()
    wait_for("faces", parent)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    faces = project.units("faces")
    # dvc's own lock is left behind by the kill; it holds no process any more
    project.repro()
    assert project.hashes() == expected
    assert {k: project.units("audio")[k] for k in early} == early
    assert {k: project.units("faces")[k] for k in faces} == faces


def test_a_damaged_unit_is_found_and_made_anew(project):
    key, _ = sorted(project.units("audio").items())[0]
    path = project.root / ".emobed/store/audio" / key[:2] / key
    blob = bytearray(path.read_bytes())
    blob[len(blob) // 2] ^= 255
    path.write_bytes(bytes(blob))
    lock = project.hashes()
    text = project.dvc("repro", "--force", "--single-item", "extract_audio@demo_sessions")
    assert f"{key}: damaged unit" in text
    assert project.hashes() == lock


def test_dvc_shows_metrics_parameters_plots_and_experiments_and_goes_back(project):
    shown = json.loads(project.dvc("metrics", "show", "--json"))
    files = next(iter(shown.values()))["data"]
    scores = files["data/reports/demo_sessions/metrics.json"]["data"]
    assert -1 <= scores["audio+video"]["arousal"]["emobed"] <= 1
    text = project.dvc("exp", "run", "-S", "corpora.demo_sessions.postprocessing.centring=false")
    assert "Running stage 'postprocess@demo_sessions'" in text
    assert "Running stage 'train@demo_sessions'" not in text
    difference = json.loads(project.dvc("params", "diff", "--json"))
    change = difference["params.yaml"]["corpora.demo_sessions.postprocessing.centring"]
    assert (change["old"], change["new"]) == (True, False)
    project.dvc("plots", "show")
    page = (project.root / "dvc_plots/index.html").read_text()
    pictures = re.findall(r'src="(.*?)"', page)
    assert len(pictures) == len(list(Paths("demo_sessions", project.root).figures.iterdir()))
    assert all((project.root / "dvc_plots" / picture).is_file() for picture in pictures)
    assert "http" not in page  # no script of elsewhere: it opens without a network
    assert "dvc_plots" not in project.git("status", "--porcelain")
    # and nothing is left of the experiment
    project.git("checkout", "params.yaml", "dvc.lock", "stages/dvc.lock", "data/reports")
    project.dvc("checkout")
    assert project.git("status", "--porcelain") == ""
    assert project.repro() == {"register"}


def test_every_run_ends_with_the_table_also_one_that_has_nothing_to_do(project):
    for _ in range(2):
        text = project.dvc("repro")
        assert stages_in(text) == {"register"}
        assert project.git("status", "--porcelain") == ""
        table = text[text.index("demo_sessions: data/reports/demo_sessions/report.html") :]
        assert "audio → arousal" in table
        assert set(re.findall(r"[Ss]tage '([^']+)'", table)) <= {"end"}  # which does nothing
    project.edit(lambda p: p["corpora"]["demo_sessions"]["report"].update(seed=1))
    assert "used alone" in project.run(sys.executable, "-m", "dvc", "repro").stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda p: p["run"].update(corpora=["recola"]), "recola"),
        (
            lambda p: p["corpora"]["demo_sessions"]["audio"].update(sampling_rate_hz=-1),
            "demo_sessions.audio.sampling_rate_hz: found -1, expected a number of 8000 or more",
        ),
        (
            lambda p: p["corpora"]["demo_sessions"]["learning"].update(bta=[0.0]),
            "corpora.demo_sessions.learning.bta: unknown key; did you mean 'beta'?",
        ),
    ],
)
def test_a_wrong_parameter_is_named_before_any_work(project, change, sentence):
    project.edit(change)
    before = {kind: project.units(kind) for kind in KINDS}
    assert sentence in project.dvc("repro", check=False)
    assert {kind: project.units(kind) for kind in KINDS} == before
