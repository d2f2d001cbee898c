"""The demo corpora with the networks of their profiles: floors that a working system passes."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from tests.project import Project

pytestmark = pytest.mark.slow

CORPORA = ["demo_sessions", "demo_clips"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> Project:
    """Return a project in which `dvc repro` has run up to the scores of the system that is asked for.

    Of the clips, each speaker says half as many: as many as there are emotions.
    """

    def change(params):
        params["demo"]["demo_clips"]["utterances"] = 7
        params["run"]["corpora"] = CORPORA
        params["runtime"]["workers"] = 1
        for corpus in CORPORA:
            params["corpora"][corpus]["learning"]["systems"] = ["classic"]

    project = Project.create(tmp_path_factory.mktemp("demo") / "project", change)
    project.repro(*(f"evaluate@{corpus}" for corpus in CORPORA))
    return project


def score(project, corpus, target, dimension, metric) -> float:
    results = pd.read_csv(Paths(corpus, project.root).results)
    row = results.query(
        f"target == '{target}' and dimension == '{dimension}' and metric == '{metric}' "
        "and system == 'classic' and partition == 'test' and postprocessed == 0"
    )
    assert row["seeds"].item() >= 3
    return float(row["mean"].item())


def test_audio_predicts_arousal_and_video_valence_of_unseen_speakers(demo):
    assert score(demo, "demo_sessions", "audio", "arousal", "ccc") >= 0.60
    assert score(demo, "demo_sessions", "video", "valence", "ccc") >= 0.60


def test_the_better_modality_tells_seven_emotions_apart(demo):
    f1 = [score(demo, "demo_clips", target, "emotion", "f1_macro_pr") for target in ("audio", "video")]
    assert max(f1) >= 0.60


@pytest.mark.parametrize("corpus", CORPORA)
def test_a_face_is_found_in_nearly_every_frame(demo, corpus):
    table = FeatureTable.open(Paths(corpus, demo.root).faces)
    valid = np.concatenate([table.read(name).valid for name in table.recordings])
    assert valid.mean() >= 0.98
    assert table.failures() == []


def test_the_delay_estimated_is_the_raters_true_lag(demo):
    def estimate(params):
        params["corpora"]["demo_sessions"]["labels"]["annotation_delay"] = "estimate"

    demo.edit(estimate)
    demo.dvc("repro", "align_labels@demo_sessions")
    paths = Paths("demo_sessions", demo.root)
    found = json.loads(paths.label_facts.read_text())["annotation_delay"]
    lags = pd.read_csv(demo.root / "data/raw/demo_sessions/truth/raters.csv")["lag"]
    assert found["estimated"]
    assert abs(found["estimate"] - lags.mean()) <= 0.2
