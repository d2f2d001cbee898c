"""Audio of some speakers, video of others, through the whole line: who is heard, seen, what is reused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.corpora.recording import read_manifest
from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from stages.commands.app import app
from tests.project import Project, tiny_sessions

pytestmark = pytest.mark.slow

SMALL = ("grid", "video", "learning", "evaluation", "postprocessing", "report")
KINDS = ("audio", "faces", "embeddings", "video")
PAIRED = {"mixed_sessions": "demo_sessions", "mixed_clips": "demo_clips"}


def tiny(params: dict[str, Any]) -> None:
    """Run demo_sessions and the two mixed corpora, all of them small."""
    corpora = params["corpora"]
    tiny_sessions(params)
    params["runtime"]["workers"] = 1
    sessions, clips = params["corpora"]["demo_sessions"], corpora["demo_clips"]
    params["demo"]["demo_clips"] = {
        "train": 4, "dev": 2, "test": 2, "utterances": 7, "duration": 1.0, "frame_rate_hz": 5.0,
    }  # fmt: skip
    clips["video"]["faces"]["frame_rate_hz"] = 1.25
    clips["learning"]["network"]["hidden"] = 6
    clips["learning"]["optimiser"] |= {"epochs": 3, "average_epochs": 2}
    clips["learning"]["seeds"] = [1, 2]
    clips["report"] |= {"tsne_points": 50, "recordings": 1}
    mixed = {name: corpora[name] for name in PAIRED}
    for name, own in mixed.items():
        paired = {"mixed_sessions": sessions, "mixed_clips": clips}[name]
        own.update({group: paired[group] for group in SMALL})
    params["corpora"] = {"demo_sessions": sessions, "demo_clips": clips, **mixed}


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Project:
    """Return a project in which demo_sessions has run, and nothing else."""
    project = Project.create(tmp_path_factory.mktemp("mixed") / "project", tiny)
    project.repro("extract_audio@demo_sessions", "pool_video@demo_sessions")
    return project


@pytest.fixture(scope="module")
def units(before) -> dict[str, dict[str, int]]:
    return {kind: before.units(kind) for kind in KINDS}


@pytest.fixture(scope="module")
def ran(before, units) -> set[str]:
    """Run the two mixed corpora, for which alone the clips are rendered; return the stages that ran."""
    before.edit(lambda params: params["run"].update(corpora=["mixed_sessions"]))
    before.repro()
    after = {kind: before.units(kind) for kind in KINDS}
    assert after == units  # the same units of the store, none computed
    before.edit(lambda params: params["run"].update(corpora=list(PAIRED)))
    return before.repro()


@pytest.fixture(scope="module")
def project(before, ran) -> Project:
    assert {"render_demo", "register", "extract_audio", "pool_video", "train", "report"} <= ran
    return before


def test_all_units_of_the_sessions_were_in_the_store(project, units):
    paths = Paths("mixed_sessions", project.root)
    keys = {
        kind: {table.key(name) for name in table.recordings}
        for kind, table in (
            ("audio", FeatureTable.open(paths.audio)),
            ("faces", FeatureTable.open(paths.faces)),
            ("embeddings", FeatureTable.open(paths.embeddings)),
            ("video", FeatureTable.open(paths.video)),
        )
    }
    for kind, own in keys.items():
        assert own
        assert own < units[kind].keys(), kind


@pytest.mark.parametrize("corpus", PAIRED)
def test_some_are_heard_and_the_others_seen(project, corpus):
    paths = Paths(corpus, project.root)
    rows = read_manifest(paths.manifest)
    heard = {row.recording for row in rows if row.medium("audio") is not None}
    seen = {row.recording for row in rows if row.medium("video") is not None}
    assert set(FeatureTable.open(paths.audio).recordings) == heard
    assert set(FeatureTable.open(paths.video).recordings) == seen
    assert all(name.startswith("heard/") for name in heard)
    assert all(name.startswith("seen/") for name in seen)
    speakers = {
        source: {row.speaker.removeprefix(f"{source}/") for row in rows if row.recording.startswith(source)}
        for source in ("heard", "seen")
    }
    assert speakers["heard"] & speakers["seen"] == set()
    everybody = {row.speaker for row in read_manifest(Paths("demo_sessions", project.root).manifest)}
    if corpus == "mixed_sessions":
        assert speakers["heard"] | speakers["seen"] == everybody
    for partition in ("train", "dev", "test"):
        for source in ("heard", "seen"):
            assert any(r.partition == partition and r.recording.startswith(f"{source}/") for r in rows)


@pytest.mark.parametrize("corpus", PAIRED)
def test_predictions_are_of_the_targets_recordings(project, corpus):
    paths = Paths(corpus, project.root)
    rows = {row.recording: row for row in read_manifest(paths.manifest)}
    dimensions = ("arousal", "valence") if corpus == "mixed_sessions" else ("emotion",)
    for scenario, source in (("audio@heard+video@seen", "heard"), ("video@seen+audio@heard", "seen")):
        for dimension in dimensions:
            for folder in (paths.raw_predictions, paths.predictions):
                frame = pd.read_parquet(folder / f"{scenario}.{dimension}.parquet")
                for partition in ("dev", "test"):
                    found = set(frame.loc[frame["partition"] == partition, "recording"])
                    assert found == {
                        name
                        for name, row in rows.items()
                        if name.startswith(f"{source}/") and row.partition == partition
                    }
                assert np.isfinite(frame["gold"]).all()


@pytest.mark.parametrize("corpus", PAIRED)
def test_results_have_every_system_of_every_scenario(project, corpus):
    paths = Paths(corpus, project.root)
    results = pd.read_csv(paths.results)
    found = set(zip(results["target"], results["auxiliary"], strict=True))
    assert {("audio@heard", "video@seen"), ("video@seen", "audio@heard")} <= found
    test = results[(results["partition"] == "test") & (results["target"] == "audio@heard")]
    assert set(test["system"]) >= {"classic", "joint", "triplet", "emobed"}
    assert "heard" in paths.report.read_text()


def test_nothing_runs_again_but_register(project):
    assert project.repro() == {"register"}


def test_check_finds_nothing_wrong(project, monkeypatch):
    monkeypatch.chdir(project.root)
    done = CliRunner().invoke(app, ["check", "mixed_clips"])
    assert "mixed_clips: 56 recordings, nothing wrong" in done.stdout.splitlines()[-1]


def test_a_clone_without_media_goes_on_from_what_is_registered(project, tmp_path):
    """What git and DVC bring; the demo media of the sources are not rendered again."""
    project.commit("results")
    remote = tmp_path / "remote"
    project.dvc("remote", "add", "--local", "team", str(remote))
    project.dvc("push", "-r", "team")
    clone = Project(tmp_path / "clone")
    project.run("git", "clone", "-q", str(project.root), str(clone.root))
    clone.dvc("remote", "add", "--local", "-d", "team", str(remote))
    clone.dvc("pull")
    assert clone.repro() == {"register"}
    assert not (clone.root / "data/raw/demo_clips").exists()
    clone.edit(lambda p: p["corpora"]["mixed_clips"]["learning"].update(alpha=[0.0, 0.5]))
    assert clone.repro("evaluate@mixed_clips") == {"register", "train", "postprocess", "evaluate"}
