"""A made-up CMU-MOSEI through all stages: sentences with several labels, features as .csd. Some 20 s."""

from __future__ import annotations

import json
import logging
import shutil

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.problem_file import read_problems
from pipeline.features.extraction.engine import ExtractionError
from pipeline.features.sources import open_features
from stages.read_features import read_features
from stages.register import register
from tests.corpora.mosei_layout import write_features, write_folds, write_labels
from tests.own_tables import TABLE, OwnTables

EMOTIONS = ("happy", "sad", "anger", "surprise", "disgust", "fear")
FILES = {"covarep": "CMU_MOSEI_COVAREP.csd", "facet": "CMU_MOSEI_VisualFacet42.csd"}
VIDEOS = {f"{'-' if k % 2 else ''}vid{k}": ("train", "valid", "test")[max(0, k - 5)] for k in range(8)}
EACH = 10


def mosei(own):
    own |= {"layout": "cmu_mosei", "task": "multilabel", "scenarios": ["covarep+facet", "facet+covarep"]}
    own["features"] = {name: TABLE | {"path": path, "statistics": ["mean"]} for name, path in FILES.items()}
    own["learning"] |= {
        "loss": "binary_cross_entropy", "systems": ["classic", "joint", "emobed", "random_forest"],
        "alpha": [0.0, 0.3], "beta": [0.0, 0.1],
    }  # fmt: skip
    own["learning"]["optimiser"] |= {"epochs": 10, "average_epochs": 3, "batch": 16, "learning_rate": 0.01}


def write(own: OwnTables, aligned: bool = False) -> dict[str, np.ndarray]:
    """Write all files; returns whether each segment has each emotion, in the order of the SDK."""
    random = np.random.default_rng(0)
    present = {video: random.random((EACH, 6)) < [0.5, 0.3, 0.3, 0.2, 0.2, 0.2] for video in VIDEOS}
    labels = {}
    for video, own_present in present.items():
        intensities = own_present * random.uniform(0.3, 3, size=own_present.shape)
        labels[video] = np.column_stack((random.uniform(-3, 3, EACH), intensities))
    write_labels(own.data, labels)
    write_folds(own.data, VIDEOS)
    for name, path in FILES.items():
        centres = 2 * random.normal(size=(6, 5))
        rows = {
            video: [own_row @ centres + 0.3 * random.normal(size=(4, 5)) for own_row in own_present]
            for video, own_present in present.items()
        }
        if name == "covarep":
            rows["vid0"][0][1, 2] = -np.inf
        write_features(own.data, path, rows, aligned=aligned)
    return present


@pytest.mark.slow
def test_from_the_files_of_the_sdk_to_the_report(tmp_path):
    own = OwnTables(tmp_path, change=mosei)
    present = write(own)
    own.run()
    labels = own.labels()
    assert len(labels) == len(VIDEOS) * EACH
    assert json.loads(own.paths.label_facts.read_text())["classes"] == [
        "anger", "disgust", "fear", "happy", "sad", "surprise",
    ]  # fmt: skip
    by_class = pd.read_csv(own.paths.class_scores)
    here = by_class[(by_class["class"] == "happy") & (by_class["system"] == "classic")]
    assert set(here["present"]) == {int(present["-vid7"][:, 0].sum())}
    results = own.results()
    forest = results[(results["system"] == "random_forest") & (results["metric"] == "wacc")]
    assert (forest[forest["partition"] == "test"]["mean"] > 0.7).all()
    assert "Labels together" in own.paths.report.read_text()


def table(own: OwnTables, name: str):
    return open_features(own.paths, own.corpus, name, "emotion")


def test_features_of_videos_are_cut_at_sentences_as_the_sdk_aligns_them(tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    found = {}
    for aligned in (False, True):
        own = OwnTables(tmp_path / str(aligned), change=mosei)
        write(own, aligned)
        own.run(register, read_features)
        found[aligned] = {name: table(own, "covarep").read(name).values for name in ("vid0[0]", "-vid7[9]")}
        assert len(table(own, "facet").recordings) == len(VIDEOS) * EACH
    np.testing.assert_allclose(found[False]["vid0[0]"], found[True]["vid0[0]"])
    np.testing.assert_allclose(found[False]["-vid7[9]"], found[True]["-vid7[9]"])
    assert np.isfinite(found[False]["vid0[0]"]).all()
    sentence = "1 of 1600 values, of 1 segments, are infinite: they count as 0"
    assert sentence in caplog.text
    assert [problem.reason for problem in read_problems(own.paths.given / "problems.csv")] == [sentence]
    # what was read once is read no more, and said again
    caplog.clear()
    shutil.rmtree(own.paths.given)
    (own.data / FILES["covarep"]).write_bytes((own.data / FILES["covarep"]).read_bytes())
    own.run(register, read_features)
    assert sentence in caplog.text


def test_a_segment_without_rows_is_listed_and_a_damaged_file_refused(tmp_path):
    own = OwnTables(tmp_path, change=mosei)
    write(own)
    rows = {video: [np.zeros((4, 5))] * (EACH - (video == "vid0")) for video in VIDEOS if video != "vid4"}
    write_features(own.data, FILES["facet"], rows)
    with pytest.raises(ExtractionError, match=r"11 of 80 recordings failed") as refused:
        own.run(register, read_features)
    assert "vid0 has no rows from 27 to 29 s" in str(refused.value)
    path = own.data / FILES["facet"]
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ExtractionError, match="cannot be read as HDF5"):
        own.run(register, read_features)
