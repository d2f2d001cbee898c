"""The recipes of docs/extending.md, applied as they stand there and run through the stages. Some 60 s."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.recording import read_manifest
from pipeline.corpora.traces import load_traces
from pipeline.paths import Paths
from pipeline.store.tables import FeatureTable
from tests.conftest import ROOT
from tests.project import Project, tiny_sessions

LONGEST = 60
"""Lines of a recipe."""


def recipes() -> list[str]:
    text = (ROOT / "docs/extending.md").read_text(encoding="utf-8")
    return re.findall(r"```diff\n(.*?)```\n", text, re.DOTALL)


def test_recipes_are_short():
    found = recipes()
    assert len(found) == 5
    assert [len(own.splitlines()) for own in found if len(own.splitlines()) > LONGEST] == []


def with_recipes(params: dict[str, Any]) -> None:
    tiny_sessions(params)
    params["runtime"]["workers"] = 1
    own = params["corpora"]["demo_sessions"]
    own["video"]["embedding"]["network"] = "colour"
    own["learning"]["systems"] = ["classic", "ridge"]
    own["scenarios"] = ["video+audio"]


@pytest.fixture(scope="module")
def extended(tmp_path_factory) -> Project:
    """Return a project with all recipes, run once."""
    project = Project.create(tmp_path_factory.mktemp("extended") / "project", with_recipes)
    for number, recipe in enumerate(recipes()):
        diff = project.root.parent / f"{number}.diff"
        diff.write_text(recipe, encoding="utf-8")
        project.git("apply", str(diff))
    project.repro()
    return project


@pytest.mark.slow
def test_a_feature_becomes_a_table(extended):
    folder = Paths("demo_sessions", extended.root).embeddings
    table = FeatureTable.open(folder)
    assert table.names == tuple(f"colour_{channel}_{what}" for what in ("mean", "std") for channel in "rgb")
    rows = table.read(table.recordings[0])
    assert rows.valid.any()
    assert ((rows.values[rows.valid] > 0) & (rows.values[rows.valid] < 1)).all()
    assert '"network": "colour"' in (folder / "index.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_system_is_trained_scored_and_shown(extended):
    paths = Paths("demo_sessions", extended.root)
    results = pd.read_csv(paths.results, keep_default_na=False)
    assert set(results["system"]) == {"classic", "ridge"}
    predicted = pd.read_parquet(next(paths.raw_predictions.glob("*.parquet"))).query("system == 'ridge'")
    assert np.isfinite(predicted["prediction"]).all()
    assert predicted["prediction"].std() > 0
    page = paths.report.read_text(encoding="utf-8")
    assert "ridge" in page


@pytest.mark.slow
def test_a_metric_is_in_the_results_and_a_figure_on_the_page(extended):
    paths = Paths("demo_sessions", extended.root)
    results = pd.read_csv(paths.results, keep_default_na=False)
    error = results.query("metric == 'mae' and partition == 'test' and system == 'ridge'")
    bound = results.query("metric == 'rmse' and partition == 'test' and system == 'ridge'")
    assert len(error) == len(bound) > 0
    # an absolute error is at most the root of the squared one
    assert (error["mean"].to_numpy(float) <= bound["mean"].to_numpy(float) + 1e-6).all()
    assert list(paths.figures.glob("*.errors.png"))
    page = paths.report.read_text(encoding="utf-8")
    assert "mean absolute error" in page
    assert "How far off predictions are" in page


@pytest.mark.slow
def test_a_layout_registers_its_recordings_and_classes(extended):
    def savee(params: dict[str, Any]) -> None:
        own = params["corpora"]["demo_sessions"] | {
            "layout": "savee",
            "root": "data/raw/savee",
            "task": "classification",
            "dimensions": ["emotion"],
            "grid": {"window": None, "hop": None},
        }
        own["learning"] = own["learning"] | {"loss": "cross_entropy"}
        params["corpora"]["savee"] = own

    names = ("DC_a1", "JK_sa12", "KL_su03")
    for name in names:
        folder = extended.root / "data/raw/savee/AudioVisualClip" / name[:2]
        folder.mkdir(parents=True)
        (folder / f"{name[3:]}.avi").write_bytes(name.encode())
    extended.edit(savee)
    extended.run("python", "-m", "stages.register", "savee")
    paths = Paths("savee", extended.root)
    found = {item.recording: (item.partition, item.speaker) for item in read_manifest(paths.manifest)}
    expected = [("train", "DC"), ("dev", "JK"), ("test", "KL")]
    assert found == dict(zip(names, expected, strict=True))
    assert json.loads((paths.traces / "classes.json").read_text()) == ["anger", "sad", "surprise"]
    traces = load_traces(paths.traces / "traces.parquet").sort_values("recording")
    assert dict(zip(traces["recording"], traces["value"], strict=True)) == dict(
        zip(names, (0, 1, 2), strict=True)
    )
