"""RECOLA as AVEC 2016 distributes its features, without any media: the paper's four experiments."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.recording import read_manifest
from pipeline.features.sources import open_features
from pipeline.learning.model_file import read_models
from pipeline.params import load_params
from pipeline.paths import Paths
from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.running import Context
from stages.train import train
from tests.corpora.official_layouts import (
    FEATURES,
    feature_names,
    features,
    gold,
    write_features,
    write_recola,
)
from tests.parameters import write_parameters
from tests.project import Project

FRAMES = 151
NAMES = [f"{partition}_{number}" for partition in ("dev", "test", "train") for number in (1, 2)]
FOLDERS = {
    "avec_audio": "features_audio",
    "appearance": "features_video_appearance",
    "geometric": "features_video_geometric",
}
SCENARIOS = ["avec_audio+appearance", "appearance+avec_audio", "avec_audio+geometric", "geometric+avec_audio"]


def tiny(params: dict) -> None:
    recola = params["corpora"]["recola"]
    recola |= {"extract": [], "scenarios": SCENARIOS}
    recola["features"]["avec_audio"] = recola["features"]["appearance"] | {"path": "features_audio"}
    recola["labels"]["annotation_delay"] = 0.4
    recola["learning"]["network"] |= {"encoder_layers": 1, "shared_layers": 1, "hidden": 4}
    recola["learning"]["optimiser"] |= {"epochs": 2, "average_epochs": 1, "batch": 2}
    recola["learning"] |= {"alpha": [0.0, 0.3], "beta": [0.0, 0.1], "seeds": [1]}
    recola["postprocessing"] |= {"median_windows": [0.12], "shifts": [0.04]}
    params["runtime"] |= {"workers": 1, "device": "cpu"}


def write_files(checkout: Path) -> None:
    root = write_recola(checkout / "data/raw/recola", frames=FRAMES, media=False)
    for folder in FEATURES:
        write_features(root, folder, NAMES, frames=FRAMES)


@pytest.fixture
def context(tmp_path, monkeypatch) -> Context:
    monkeypatch.chdir(tmp_path)
    write_parameters(tmp_path, tiny)
    write_files(tmp_path)
    paths = Paths("recola")
    return Context("recola", load_params(paths.params), paths, tmp_path)


def test_from_feature_files_to_scores(context):
    paths, corpus = context.paths, context.corpus
    for stage in (register, read_features, align_labels, train, postprocess, evaluate):
        stage(context)
    assert [item.recording for item in read_manifest(paths.manifest)] == NAMES
    for modality, folder in FOLDERS.items():
        for dimension in corpus.dimensions:
            table = open_features(paths, corpus, modality, dimension)
            for name in NAMES:
                expected = features(folder, name, dimension, FRAMES).astype(np.float32)
                np.testing.assert_array_equal(table.read(name).values, expected)

    results = pd.read_csv(paths.results)
    pairs = results[["target", "auxiliary", "dimension"]].drop_duplicates()
    assert {"+".join(row[:2]) for row in pairs.itertuples(index=False)} == set(SCENARIOS)
    assert len(pairs) == 8
    assert set(results["system"]) == {"classic", "joint", "triplet", "emobed"}
    for scenario in SCENARIOS:
        target, auxiliary = scenario.split("+")
        for dimension in corpus.dimensions:
            _, about = read_models(paths.models / f"{scenario}.{dimension}" / "models.safetensors")
            assert tuple(about["features"]["target"]) == feature_names(FOLDERS[target])
            assert tuple(about["features"]["auxiliary"]) == feature_names(FOLDERS[auxiliary])
            rows = pd.read_parquet(paths.raw_predictions / f"{scenario}.{dimension}.parquet")
            assert set(rows["recording"].unique()) == {"dev_1", "dev_2", "test_1", "test_2"}
            own = rows[rows["recording"] == "dev_2"].drop_duplicates("time").sort_values("time")
            np.testing.assert_allclose(own["gold"], gold("dev_2", dimension, FRAMES)[: len(own)], atol=1e-6)


def test_each_dimension_learns_from_its_own_table(context):
    """Scaling is fitted on train: its means are those of the dimension's own files."""
    for stage in (register, read_features, align_labels, train):
        stage(context)
    for dimension in ("arousal", "valence"):
        path = context.paths.models / f"{SCENARIOS[1]}.{dimension}" / "models.safetensors"
        tensors, _ = read_models(path)
        files = [features(FOLDERS["appearance"], name, dimension, FRAMES) for name in ("train_1", "train_2")]
        means = [
            tensor.numpy() for name, tensor in tensors.items() if "target" in name and name.endswith("mean")
        ]
        assert len(means) == 1
        np.testing.assert_allclose(means[0], np.concatenate(files).mean(axis=0), atol=1e-6)


@pytest.mark.slow
def test_a_colleague_without_the_files_under_dvc(tmp_path):
    """Pulled tables need no files; another way of reading them does; a damaged one is fetched again."""

    def only_recola(params):
        tiny(params)
        params["run"]["corpora"], params["corpora"] = ["recola"], {"recola": params["corpora"]["recola"]}

    def appearance(**values):
        return lambda params: params["corpora"]["recola"]["features"]["appearance"].update(values)

    stage, given = "read_features@recola", "data/features/recola/given"
    a = Project.create(tmp_path / "a", only_recola)
    write_files(a.root)
    assert a.repro(stage) == {"render_demo", "register", "read_features"}
    assert a.repro(stage) == {"register"}
    a.dvc("remote", "add", "--default", "team", str(tmp_path / "remote"))
    a.commit("features")
    a.dvc("push")
    a.git("clone", "-q", ".", str(tmp_path / "b"))
    b = Project(tmp_path / "b")
    b.dvc("pull", stage, "stages/dvc.yaml:register@recola", "render_demo@recola")
    assert b.repro(stage) == {"register"}
    md5 = b.hashes()[given]

    b.edit(appearance(max_failed_share=0.1))
    assert b.repro(stage) == {"register", "read_features"}
    assert b.hashes()[given] == md5
    b.edit(appearance(statistics=["mean"]))
    text = b.dvc("repro", stage, check=False)
    assert "read_features appearance.arousal: 6 of 6 feature files are not on this machine" in text
    assert "`git checkout params.yaml dvc.lock stages/dvc.lock && dvc checkout`" in text
    b.git("checkout", "params.yaml", "dvc.lock", "stages/dvc.lock")
    b.dvc("checkout", stage)  # the later stages have not run here
    assert b.repro(stage) == {"register"}

    (part,) = (b.root / given / "appearance.arousal").glob("*.parquet")
    good = part.read_bytes()
    part.chmod(0o644)
    part.write_bytes(b"damaged")
    # the store forgets them, so that register takes them from the table again
    for unit in (b.root / ".emobed/store/given").rglob("*"):
        if unit.is_file():
            unit.unlink()
    text = b.dvc("repro", stage, check=False)
    (command,) = set(re.findall(r"`(emobed store repull [^`]+)`", text))
    b.run(*shlex.split(command))
    assert part.read_bytes() == good
    assert b.repro(stage) == {"register"}
