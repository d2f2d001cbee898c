"""Recognisers on corpora: their own, and one of the same media with parameters of its own."""

from __future__ import annotations

import contextlib
import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pipeline.cross.evaluation import evaluate_on
from pipeline.cross.gold import NothingCommonError
from pipeline.cross.matrix import matrix
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.recogniser import Recogniser
from pipeline.reporting.cross_table import cross_table
from pipeline.running.workshop import Workshop
from pipeline.scoring.metrics import ccc
from pipeline.store.units import UnitStore
from stages.commands.app import app
from tests.parameters import write_parameters
from tests.recogniser_fixtures import small_sessions

NAME = "audio+video.arousal"


def with_other(params):
    """Add a corpus of the same media: other features, label times and delay."""
    small_sessions(params)
    own = params["corpora"]["demo_sessions"]
    other = json.loads(json.dumps(own))
    other["audio"]["sampling_rate_hz"] = 8000
    other["grid"] = {"window": 1.2, "hop": 0.2}
    other["labels"]["annotation_delay"] = 1.0
    params["corpora"]["other"] = other
    params["run"]["corpora"] = ["demo_sessions", "other"]


@pytest.fixture(scope="module")
def both(sessions, tmp_path_factory) -> Paths:
    """Return the paths of the corpus `other` beside a copy of the finished small sessions."""
    root = tmp_path_factory.mktemp("both") / "project"
    shutil.copytree(sessions.root, root)
    write_parameters(root, with_other)
    with contextlib.chdir(root):
        from stages.register import register
        from stages.running import Context

        paths = Paths("other")
        register(Context("other", load_params(paths.params), paths, root))
    Paths("other", root).recognisers.mkdir()
    return Paths("other", root)


def scored(both, corpus, part=None, also_train=False, recogniser=NAME, store=None):
    """Evaluate a recogniser of the sessions, in the folder of the project."""
    with contextlib.chdir(both.root):
        params = load_params(both.params)
        shop = Workshop(UnitStore(both.root / (store or params.runtime.store)))
        folder = Paths("demo_sessions").recognisers / recogniser
        scratch = both.root / "scratch"
        return evaluate_on(
            Recogniser.load(folder), params.corpus(corpus), Paths(corpus), shop, scratch, part, also_train
        )


def of(found, metric="ccc"):
    return next(row for row in found.scores if row["metric"] == metric)


def test_on_test_of_its_own_corpus_the_score_is_that_of_the_stored_predictions(both):
    found = scored(both, "demo_sessions")
    own = replace(both, corpus="demo_sessions")
    stored = pd.read_parquet(own.predictions / f"{NAME}.parquet")
    chosen = (stored["system"] == found.system) & (stored["setting"] == found.setting)
    test = stored[chosen & (stored["partition"] == "test")]
    mean = test.groupby(["recording", "time"])[["prediction", "gold"]].mean()
    assert of(found)["value"] == pytest.approx(ccc(mean["prediction"], mean["gold"]), abs=1e-6)
    assert of(found)["n"] == mean["gold"].notna().sum()
    assert found.partition == "test"
    assert found.notes == []


@pytest.mark.parametrize("part", ["train", "dev", "all"])
def test_recordings_of_training_are_refused_unless_asked_for(both, part):
    with pytest.raises(ValueError, match=rf"learnt from demo_sessions.*found {part}; --also-train scores"):
        scored(both, "demo_sessions", part)
    found = scored(both, "demo_sessions", part, also_train=True)
    assert any("recordings took part in training" in note for note in found.notes)


def test_another_corpus_is_heard_and_rated_on_the_grid_of_the_recogniser(both):
    """The media and traces of `other` are those of the sessions, so are its scores; nothing is made twice."""
    kinds = ("audio", "faces", "embeddings", "video")
    store = UnitStore(both.root / load_params(both.params).runtime.store)
    before = {kind: store.keys(kind) for kind in kinds}
    for name in (NAME, "video+audio.arousal"):
        found = scored(both, "other", recogniser=name)
        expected = scored(both, "demo_sessions", "all", also_train=True, recogniser=name)
        assert found.partition == "all"
        pd.testing.assert_frame_equal(pd.DataFrame(found.scores), pd.DataFrame(expected.scores))
    assert {kind: store.keys(kind) for kind in kinds} == before
    assert not (both.root / "scratch").exists()
    extracted = scored(both, "other", store="empty")  # from media, with the parameters of the recogniser
    assert of(extracted) == of(scored(both, "demo_sessions", "all", also_train=True))
    assert UnitStore(both.root / "empty").keys("audio") <= before["audio"]
    notes = "\n".join(found.notes)
    assert "recordings took part in training (the sha256 of their media)" in notes
    assert "speakers of training have the name of one that is scored" in notes
    assert "annotation delay of its own raters, 2.4 s; labels.annotation_delay is 1 s there" in notes
    assert "the recogniser learnt from" in notes


def test_labels_of_another_kind_are_nothing_in_common(both, params):
    clips = params.corpus("demo_clips")
    with contextlib.chdir(both.root):
        recogniser = Recogniser.load(Paths("demo_sessions").recognisers / NAME)
        shop = Workshop(UnitStore(both.root / "s"))
        with pytest.raises(NothingCommonError, match="no traces of arousal"):
            evaluate_on(recogniser, clips, Paths("other"), shop, both.root / "x")


def test_all_pairs_are_one_table_and_the_page_shows_it(both, tmp_path):
    with contextlib.chdir(both.root):
        params = load_params(both.params)
        shop = Workshop(UnitStore(both.root / params.runtime.store))
        corpora = {name: params.corpus(name) for name in params.run.corpora}
        table = matrix(corpora, both.root, shop, both.root / "scratch")
    assert set(table["trained_on"]) == {"demo_sessions"}
    assert set(table["corpus"]) == {"demo_sessions", "other"}
    assert len(table[table["metric"] == "ccc"]) == 8
    path = tmp_path / "cross.csv"
    table.to_csv(path, index=False)
    shown = cross_table(path)
    assert [column.name for column in shown.columns][2:] == ["tested on demo_sessions", "tested on other"]
    assert len(shown.rows) == 4
    cell = shown.rows[0][3]
    value = table[(table["corpus"] == "other") & (table["metric"] == "ccc")]["value"].iloc[0]
    assert cell.value == pytest.approx(value)
    assert "95% interval" in cell.detail


def test_the_stage_makes_an_empty_table_unless_it_is_asked_for(both):
    from stages.cross import cross
    from stages.running import Context

    with contextlib.chdir(both.root):
        params = load_params(both.params)
        cross(Context("", params, Paths(""), both.root))
        path = Paths("").cross
        assert path.read_text().startswith("recogniser,trained_on,")
        assert len(path.read_text().splitlines()) == 1
        assert cross_table(path) is None
        asked = params.model_copy(update={"run": params.run.model_copy(update={"cross": True})})
        cross(Context("", asked, Paths(""), both.root))
        assert len(cross_table(path).rows) == 4
        path.unlink()


def test_the_command_prints_a_table_and_writes_it(both):
    with contextlib.chdir(both.root):
        folder = str(Paths("demo_sessions").recognisers / NAME)
        runner = CliRunner()
        done = runner.invoke(app, ["evaluate", folder, "other", "--out", "a.csv"])
        assert done.exit_code == 0, done.output
        assert "CCC" in done.output
        assert "on other, all labelled recordings: " in done.output
        rows = list(csv.DictReader(Path("a.csv").read_text().splitlines()))
        assert [row["metric"] for row in rows] == ["ccc", "ccc_per_recording", "pcc", "rmse"]
        done = runner.invoke(
            app, ["evaluate", folder, "demo_sessions", "--partition", "test", "--out", "a.json"]
        )
        assert done.exit_code == 0, done.output
        about = json.loads((both.root / "a.json").read_text())
        assert about["corpus"] == about["trained_on"] == "demo_sessions"
        assert np.isfinite(about["scores"][0]["value"])
        done = runner.invoke(app, ["evaluate", folder, "other", "--scale", "-2", "2", "--out", "half.csv"])
        assert done.exit_code == 0, done.output
        assert "mapped from its scale of -2 to 2 to that of the recogniser, -1 to 1" in done.output
        half = {row["metric"]: row for row in csv.DictReader(Path("half.csv").read_text().splitlines())}
        assert float(half["pcc"]["value"]) == pytest.approx(float(rows[2]["value"]), abs=1e-5)
        assert float(half["ccc"]["value"]) != pytest.approx(float(rows[0]["value"]), abs=1e-3)
        for arguments, sentence in (
            ((folder, "other", "--scale", "1", "7"), "beyond --scale 1 7"),
            ((folder, "other", "--trained-scale", "0", "1"), "--trained-scale needs --scale, the scale"),
            (
                (folder, "other", "--scale", "-1", "1", "--trained-scale", "3", "4"),
                "beyond --trained-scale 3 4",
            ),
            ((folder, "other", "--out", "a.txt"), "expected a file that ends in .csv or .json"),
            ((folder, "nobody"), "nobody"),
            ((folder, "demo_sessions", "--partition", "train"), "--also-train"),
        ):
            done = runner.invoke(app, ["evaluate", *arguments])
            assert done.exit_code == 1
            assert sentence in done.output
