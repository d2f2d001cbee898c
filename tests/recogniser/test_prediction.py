"""Uncertainty of a recogniser: what is fitted on dev is what it says of a recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.recording import read_manifest
from pipeline.learning.temperature import calibrated
from pipeline.recogniser import Recogniser
from pipeline.recogniser.description import Calibration, Domain
from pipeline.recogniser.folder import read_folder
from pipeline.recogniser.prediction import Prediction
from pipeline.store.rows import Rows
from pipeline.store.tables import FeatureTable

ROWS = (np.arange(3) * 0.4, np.arange(1, 4) * 0.4, np.ones(3, bool))
KNOWN = Domain(recordings=6, median=0.02, largest=0.04, limit=0.04, alarms=1 / 7)


def test_an_interval_reaches_equally_far_around_the_mean_of_seeds():
    calibration = Calibration(reach=0.25, coverage=0.9, rule="widened", dev=6, unit="recording")
    by_seed = np.array([[0.1, 0.2, 0.3], [0.3, 0.2, 0.5]])
    table = Prediction(*ROWS, by_seed, calibration, 0.05, KNOWN).table("a.wav", "arousal")
    assert table["arousal"].tolist() == pytest.approx([0.2, 0.2, 0.4])
    assert table["arousal.low"].tolist() == pytest.approx([-0.05, -0.05, 0.15])
    assert table["arousal.high"].tolist() == pytest.approx([0.45, 0.45, 0.65])
    assert table["arousal.seed_spread"].tolist() == pytest.approx(by_seed.std(axis=0, ddof=1))
    assert (table["out_of_domain"] == 0.05).all()
    assert table["out_of_domain.flag"].all()
    assert not Prediction(*ROWS, by_seed, calibration, 0.04, KNOWN).out_of_domain
    assert not Prediction(*ROWS, by_seed, calibration, np.nan, KNOWN).out_of_domain


def test_values_beyond_all_labels_are_marked_and_left_as_they_are():
    by_seed = np.array([[-1.5, 0.2, 0.8], [-1.1, 0.2, 0.8]])
    table = Prediction(*ROWS, by_seed, label_range=(-0.9, 0.8)).table("a.wav", "arousal")
    assert table["arousal"].tolist() == pytest.approx([-1.3, 0.2, 0.8])
    assert table["arousal.beyond_labels"].tolist() == [True, False, False]
    assert "arousal.beyond_labels" not in Prediction(*ROWS, by_seed).table("a.wav", "arousal")


def test_a_recogniser_knows_the_labels_of_its_training_alone(sessions):
    labels = pd.read_parquet(sessions.label_table)
    for folder in sorted(sessions.recognisers.iterdir()):
        about = read_folder(folder)
        own = labels[(labels["dimension"] == about.dimension) & (labels["partition"] == "train")]["label"]
        assert about.label_range == pytest.approx((own.min(), own.max()))


def test_probabilities_are_calibrated_and_name_the_class_of_the_mean():
    scores = np.random.default_rng(0).dirichlet(np.full(4, 0.4), (2, 3))
    plain = Prediction(*ROWS, scores)
    found = Prediction(
        *ROWS, scores, Calibration(temperature=2.5, rule="likelihood", dev=84, unit="utterance")
    )
    assert found.values == pytest.approx(calibrated(scores.mean(axis=0), 2.5))
    assert found.codes.tolist() == scores.mean(axis=0).argmax(axis=1).tolist() == plain.codes.tolist()
    table = found.table("a.wav", "emotion", ("anger", "joy", "fear", "calm"))
    assert table[["emotion.anger", "emotion.joy", "emotion.fear", "emotion.calm"]].sum(axis=1).tolist() == (
        pytest.approx([1.0] * 3)
    )
    assert "emotion.low" not in table


def test_what_is_not_known_is_nan_and_no_alarm():
    table = Prediction(*ROWS, np.zeros((1, 3)), None).table("a.wav", "arousal")
    columns = ["arousal.low", "arousal.high", "arousal.seed_spread", "out_of_domain"]
    assert table[columns].isna().all(axis=None)
    assert not table["out_of_domain.flag"].any()


def dev_rows(paths, modality: str) -> dict[str, Rows]:
    source = FeatureTable.open(paths.extracted(modality))
    names = {item.recording for item in read_manifest(paths.manifest) if item.partition == "dev"}
    return {name: source.read(name) for name in source.recordings if name in names}


@pytest.mark.parametrize(("corpus", "count"), [("sessions", 4), ("clips", 2)])
def test_exported_figures_are_those_that_evaluation_tested(request, corpus, count):
    paths = request.getfixturevalue(corpus)
    table = pd.read_csv(paths.uncertainty)
    folders = sorted(paths.recognisers.iterdir())
    assert len(folders) == count
    for folder in folders:
        about = Recogniser.load(folder).description
        named = table["target"] + "+" + table["auxiliary"] + "." + table["dimension"]
        (row,) = table[(named == folder.name) & (table["system"] == about.system)].to_dict("records")
        if about.task == "classification":
            assert about.calibration.temperature == row["temperature"]
            assert about.calibration.dev == row["dev_utterances"]
        else:
            assert about.calibration.dev == row["dev_units"]
            assert about.calibration.rule == row["rule"]
            assert about.calibration.reach == (None if np.isnan(row["reach"]) else row["reach"])


def test_the_share_beyond_is_that_of_a_naive_loop_over_raw_features(sessions):
    recogniser = Recogniser.load(sessions.recognisers / "audio+video.arousal")
    manifest = {item.recording: item.partition for item in read_manifest(sessions.manifest)}
    source = FeatureTable.open(sessions.extracted("audio"))
    train = [source.read(name) for name in source.recordings if manifest[name] == "train"]
    usual = np.concatenate([rows.values[rows.valid] for rows in train])
    usual = np.where(
        np.isfinite(usual), usual, np.nanmean(np.where(np.isfinite(usual), usual, np.nan), axis=0)
    )
    low, high = np.percentile(usual, [1, 99], axis=0)
    shares = []
    for rows in dev_rows(sessions, "audio").values():
        own = rows.values[rows.valid]
        with np.errstate(invalid="ignore"):
            shares.append(((own < low) | (own > high)).mean())
        assert recogniser.predict_rows(rows).beyond == pytest.approx(shares[-1], abs=0.01)
    about = recogniser.description.domain
    assert about.recordings == len(shares)
    assert about.largest == pytest.approx(max(shares), abs=0.01)
    assert about.alarms == pytest.approx(1 / (len(shares) + 1))


def test_features_far_from_train_are_out_of_domain(sessions):
    recogniser = Recogniser.load(sessions.recognisers / "audio+video.arousal")
    rows = next(iter(dev_rows(sessions, "audio").values()))
    assert not recogniser.predict_rows(rows).out_of_domain
    far = replace(rows, values=rows.values * 3 + 10)
    found = recogniser.predict_rows(far)
    assert found.beyond > 0.5
    assert found.out_of_domain


def test_a_fusion_says_the_mean_over_its_modalities(clips, tmp_path):
    from tests.recogniser.test_export import exported

    for folder in exported(clips, "early_fusion", tmp_path).iterdir():
        recogniser = Recogniser.load(folder)
        assert set(recogniser.models.limits) == {"target", "auxiliary"}
        audio, video = (dev_rows(clips, name) for name in ("audio", "video"))
        name = sorted(set(audio) & set(video))[0]
        found = recogniser.predict_rows({"audio": audio[name], "video": video[name]}).beyond
        assert 0 <= found <= recogniser.description.domain.largest


def test_limits_are_in_the_weights_and_damage_is_found(folder: Path):
    recogniser = Recogniser.load(folder)
    assert recogniser.models.limits["target"].lower.shape == (88,)
    assert (recogniser.models.limits["target"].lower <= recogniser.models.limits["target"].upper).all()
