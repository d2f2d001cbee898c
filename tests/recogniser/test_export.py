"""Recognisers as the stage export writes them: equal to the pipeline, complete, and nothing too much."""

from __future__ import annotations

import contextlib
from pathlib import Path

import audmetric
import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.recording import read_manifest
from pipeline.learning.model_file import read_models
from pipeline.params import load_params
from pipeline.paths import Paths
from pipeline.recogniser import Recogniser
from pipeline.store.rows import Rows
from tests.recogniser_fixtures import ALONE, FUSIONS, exported

FEATURES: dict[tuple[Path, str], Rows] = {}
"""Of media, by modality: all recognisers of a corpus make the same."""


def features(recogniser: Recogniser, file: Path, modality: str) -> Rows:
    if (file, modality) not in FEATURES:
        FEATURES[file, modality] = recogniser.features(file, modality)
    return FEATURES[file, modality]


def require_the_pipelines_predictions(paths: Paths, folder: Path, corpus) -> None:
    """Hold what a recogniser says of media against the predictions that the pipeline keeps, seed by seed."""
    recogniser = Recogniser.load(folder)
    about = recogniser.description
    stored = pd.read_parquet(paths.predictions / f"{folder.name}.parquet")
    stored = stored[(stored["system"] == about.system) & (stored["setting"] == about.setting)]
    manifest = {item.recording: item for item in read_manifest(paths.manifest)}
    names = sorted(stored["recording"].unique())
    assert names
    for name in (names[0], names[-1]):
        media = {need: paths.root / corpus.root / manifest[name].medium(need) for need in about.needed}
        rows = {need: features(recogniser, path, need) for need, path in media.items()}
        found = recogniser.predict_rows(rows)
        own = stored[stored["recording"] == name]
        columns = [f"score_{code}" for code in range(len(about.classes))] or ["prediction"]
        for number, seed in enumerate(about.seeds):
            expected = own[own["seed"] == seed][columns].to_numpy()
            np.testing.assert_allclose(found.by_seed[number].reshape(expected.shape), expected, atol=1e-5)
        if len(media) == 1:
            table = found.table("", recogniser.dimension, recogniser.classes)
            mean = own.groupby("time")[columns].mean().to_numpy()
            shown = [f"{recogniser.dimension}.{name}" for name in about.classes] or [recogniser.dimension]
            np.testing.assert_allclose(table[shown].to_numpy(), mean, atol=1e-5)


@pytest.mark.parametrize("system", [*ALONE, *FUSIONS])
def test_sessions_are_predicted_as_by_the_pipeline(sessions, tmp_path, system):
    corpus = load_params(sessions.params).corpus("demo_sessions")
    folders = sorted(exported(sessions, system, tmp_path).iterdir())
    assert [folder.name for folder in folders] == [
        "audio+video.arousal", "audio+video.valence", "video+audio.arousal", "video+audio.valence",
    ]  # fmt: skip
    for folder in folders:
        require_the_pipelines_predictions(sessions, folder, corpus)


@pytest.mark.parametrize("system", ["best_alone", "emobed", "early_fusion"])
def test_clips_are_predicted_as_by_the_pipeline(clips, tmp_path, system):
    corpus = load_params(clips.params).corpus("demo_clips")
    for folder in sorted(exported(clips, system, tmp_path).iterdir()):
        require_the_pipelines_predictions(clips, folder, corpus)


def test_best_alone_is_the_best_on_dev_that_needs_one_modality_and_is_no_control(sessions):
    grid = pd.read_csv(sessions.grid_scores, dtype={"setting": str}).fillna({"setting": ""})
    chosen = grid[(grid["selected"] == 1) & (grid["postprocessed"] == 1)]
    for folder in sessions.recognisers.iterdir():
        named = chosen["target"] + "+" + chosen["auxiliary"] + "." + chosen["dimension"]
        own = chosen[named == folder.name]
        assert set(own["system"]) == {*ALONE, *FUSIONS}
        own = own[~own["system"].isin([*FUSIONS, "placebo", "same_modality"])]
        about = Recogniser.load(folder).description
        rows = pd.read_parquet(sessions.predictions / f"{folder.name}.parquet")
        dev = rows[rows["partition"] == "dev"]
        scores = {}
        for _, row in own.iterrows():
            here = dev[(dev["system"] == row["system"]) & (dev["setting"] == row["setting"])]
            mean = here.groupby(["recording", "time"])[["prediction", "gold"]].mean()
            scores[row["system"]] = audmetric.concordance_cc(mean["gold"], mean["prediction"])
        best = max(scores, key=scores.__getitem__)
        assert about.system == best
        assert about.setting == own.set_index("system")["setting"][best]
        assert f"({scores[best]:.3f})" in about.chosen


@pytest.mark.parametrize("system", ALONE)
def test_no_tensor_of_the_auxiliary_modality_remains(sessions, tmp_path, system):
    """Audio has 88 features, video 512; networks have 6 units, so no other axis has such a length."""
    for folder in exported(sessions, system, tmp_path).iterdir():
        tensors, about = read_models(folder / "weights.safetensors")
        target = folder.name.split("+")[0]
        own, other = (88, 512) if target == "audio" else (512, 88)
        assert not [name for name in tensors if "auxiliary" in name]
        lengths = {length for tensor in tensors.values() for length in tensor.shape}
        assert own in lengths or own + 1 in lengths or system == "random_forest"
        assert not {other, other + 1} & lengths
        assert set(about["features"]) == set(about["modalities"]) == {"target"}
        assert len(about["features"]["target"]) == own
        if system in ("classic", "joint", "triplet", "emobed", "placebo", "same_modality"):
            layer = {f"{kind}_{part}" for kind in ("weight", "bias") for part in ("ih", "hh")}
            expected = {f"{block}.0.{name}" for block in ("target", "shared") for name in layer}
            expected |= {"head.weight", "head.bias"}
            of_models = {
                name.split("/", 1)[1] for name in tensors if not name.startswith(("scaler.", "domain."))
            }
            assert of_models == expected
        if system == "multi_task":  # nor does that of the other dimension
            heads = [tensor for name, tensor in tensors.items() if name.endswith("head.bias")]
            assert [tuple(head.shape) for head in heads] == [(1,), (1,)]


def test_a_file_is_predicted_from_its_features(sessions):
    file = sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav"
    recogniser = Recogniser.load(sessions.recognisers / "audio+video.arousal")
    rows = features(recogniser, file, "audio")
    expected = recogniser.predict_rows(rows).table(str(file), "arousal")
    found = recogniser.predict(file)
    pd.testing.assert_frame_equal(found, expected)
    assert found.index.names == ["file", "start", "end"]
    assert not found.index.duplicated().any()
    starts = found.index.get_level_values("start").total_seconds()
    np.testing.assert_allclose(starts, np.arange(31) * 0.4)


@pytest.mark.parametrize("level", [0.0, 1e-3, 0.1])
def test_silence_and_noise_are_unlike_anything_that_was_learnt(sessions, level):
    """Their features are as good as any, so rows are valid: it is the flag that says what they are worth."""
    recogniser = Recogniser.load(sessions.recognisers / "audio+video.arousal")
    signal = level * np.random.default_rng(0).normal(size=10 * 16000)
    table = recogniser.predict_signal(np.clip(signal, -1, 1), 16000)
    assert table["valid"].all()
    assert table["out_of_domain.flag"].all()
    assert (table["out_of_domain"] > 0.2).all()


def test_a_recogniser_needs_nothing_of_the_checkout(sessions, folder, tmp_path):
    file = sessions.root / "data/raw/demo_sessions/recordings_audio/test_1.wav"
    here = Recogniser.load(sessions.recognisers / "audio+video.arousal").predict(file)
    (tmp_path / "empty").mkdir()
    with contextlib.chdir(tmp_path / "empty"):
        there = Recogniser.load(folder).predict(file)
    pd.testing.assert_frame_equal(here, there)
