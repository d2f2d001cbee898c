"""Utterances that may have several labels: losses, scores and every system that can learn them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score

from pipeline.catalogue.systems import BY_WORDS, COMPANIONS, SYSTEMS
from pipeline.corpora.label_sets import codes_of, matrix_of
from pipeline.learning.dev_scores import dev_loss, dev_score
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.frame_labels import frame_labels
from pipeline.learning.losses import prediction_loss
from pipeline.learning.thresholds import fit_thresholds
from pipeline.learning.views import scaled_view
from pipeline.params import Grid
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.run_experiment import run_experiment
from tests.learning.synthetic import Corpus, Source, as_rows, clips, learning

CLASSES = ("anger", "fear", "happy")
FAST = {"network": {"hidden": 8}, "optimiser": {"epochs": 25, "learning_rate": 0.01}, "seeds": [1]}


def sets(counts: tuple[int, int, int] = (60, 20, 20), seed: int = 0) -> Corpus:
    """Make utterances whose features are the sum of the centres of their classes; some have none."""
    random = np.random.default_rng(seed)
    corpus = clips(counts, 2)
    centres = {"audio": 2 * random.normal(size=(3, 6)), "video": 2 * random.normal(size=(3, 9))}
    matrix = random.random((sum(counts), 3)) < [0.5, 0.15, 0.3]
    rows = {
        name: {
            item.recording: as_rows(own @ centre + 0.3 * random.normal(size=centre.shape[1])[None])
            for item, own in zip(corpus.recordings, matrix[:, None], strict=True)
        }
        for name, centre in centres.items()
    }
    codes = codes_of(matrix)
    labels = corpus.labels.assign(gold_standard=codes, label=codes, triplet_class=codes.astype(int))
    return Corpus(corpus.recordings, Source(rows["audio"]), Source(rows["video"]), labels)


def run(corpus, folder, settings):
    run_experiment(
        recordings=corpus.recordings,
        sources={"target": corpus.audio, "auxiliary": corpus.video},
        labels=corpus.labels,
        dimension="emotion",
        task="multilabel",
        grid=Grid(window=None, hop=None),
        delay_frames=0,
        learning=settings,
        models_directory=folder,
        predictions_path=folder / "raw.parquet",
        scenario="audio+video",
        classes=CLASSES,
    )
    return pd.read_parquet(folder / "raw.parquet")


def test_the_loss_is_the_weighted_mean_over_classes_and_frames():
    random = np.random.default_rng(1)
    logits = random.normal(size=(2, 4, 1, 3))
    codes = np.array([[[5.0], [0.0], [7.0], [2.0]]] * 2)
    labelled = np.array([[[1.0], [1.0], [0.0], [1.0]]] * 2)
    weight = (1.0, 4.0, 0.5)
    found = prediction_loss(
        "binary_cross_entropy", *map(torch.from_numpy, (logits, codes, labelled)), positive_weight=weight
    )
    for model in range(2):
        total = 0.0
        for row, code in ((0, 5), (1, 0), (3, 2)):
            for c in range(3):
                p = 1 / (1 + math.exp(-logits[model, row, 0, c]))
                total -= weight[c] * math.log(p) if code >> c & 1 else math.log(1 - p)
        assert found[model].item() == pytest.approx(total / 9)


def test_the_loss_of_a_batch_without_labels_is_a_zero_in_the_graph():
    logits = torch.zeros(1, 2, 1, 3, requires_grad=True)
    nothing = torch.zeros(1, 2, 1)
    loss = prediction_loss("binary_cross_entropy", logits, nothing, nothing, positive_weight=(1.0,) * 3)
    loss.sum().backward()
    assert loss.item() == 0
    assert logits.grad is not None


def test_the_dev_score_is_the_mean_balanced_accuracy_of_classes_with_both_answers():
    random = np.random.default_rng(2)
    gold = codes_of(random.random((40, 4)) < [0.5, 0.2, 0.0, 1.0])
    gold[3] = np.nan
    outputs = random.normal(size=(2, 40, 1, 4))
    found = dev_score(torch.from_numpy(outputs), torch.from_numpy(gold)[:, None], several=True)
    known = np.isfinite(gold)
    truth = matrix_of(gold[known], 4)
    for model in range(2):
        predicted = outputs[model, known, 0] > 0
        expected = np.mean([balanced_accuracy_score(truth[:, c], predicted[:, c]) for c in (0, 1)])
        assert found[model].item() == pytest.approx(expected)


def test_the_dev_loss_is_that_of_training():
    gold = [torch.tensor([6.0], dtype=torch.float64), torch.tensor([torch.nan], dtype=torch.float64)]
    outputs = [torch.tensor([[[1.0, -1.0, 0.5]]]), torch.ones(1, 1, 3)]
    settings = learning("demo_clips", loss="binary_cross_entropy")
    found = dev_loss(outputs, gold, settings, (1.0, 2.0, 3.0))
    sigmoid = [1 / (1 + math.exp(-x)) for x in (1.0, -1.0, 0.5)]
    expected = -(math.log(1 - sigmoid[0]) + 2 * math.log(sigmoid[1]) + 3 * math.log(sigmoid[2])) / 3
    assert found.item() == pytest.approx(expected)


def data_of(corpus) -> ExperimentData:
    settings = learning("demo_clips", loss="binary_cross_entropy")
    labels = frame_labels(corpus.labels, "emotion", several=True)
    views = {
        role: scaled_view(corpus.recordings, source, labels, settings.scaling, role, role)
        for role, source in (("target", corpus.audio), ("auxiliary", corpus.video))
    }
    return ExperimentData(views, CLASSES, None, 0, {}, several=True)


def test_weights_are_absent_over_present_labels_of_train_and_nothing_else():
    corpus = sets()
    train = corpus.labels["recording"].str.startswith("train")
    matrix = matrix_of(corpus.labels.loc[train, "label"], 3)
    np.testing.assert_array_equal(
        data_of(corpus).label_matrix(data_of(corpus).views["target"].labelled), matrix
    )
    expected = (~matrix).sum(0) / matrix.sum(0)
    np.testing.assert_allclose(data_of(corpus).positive_weight, expected)
    scrambled = corpus.labels.assign(label=corpus.labels["label"].where(train, 7.0))
    np.testing.assert_allclose(
        data_of(dataclasses.replace(corpus, labels=scrambled)).positive_weight, expected
    )


def test_a_class_that_nobody_or_everybody_shows_weighs_one():
    corpus = sets()
    corpus.labels["label"] = np.where(corpus.labels["label"] % 2 == 0, 4.0, 5.0)
    assert data_of(corpus).positive_weight[1:] == (1.0, 1.0)


def test_labels_of_many_classes_are_not_rounded():
    corpus = sets()
    corpus.labels["label"] = 2.0**51 + 1
    found = frame_labels(corpus.labels, "emotion", several=True)["train_1"]
    assert found.label[0] == 2.0**51 + 1
    view = data_of(corpus).views["target"].labelled
    loss = prediction_loss(
        "binary_cross_entropy",
        torch.zeros(1, len(view), 1, 52),
        torch.tensor(np.array(view.labels))[None],
        torch.ones(1, len(view), 1),
        positive_weight=[0.0] * 51 + [1.0],
    )
    assert loss.item() == pytest.approx(math.log(2) * 51 / 52)  # of the first class 0, of the last log 2


def test_thresholds_are_those_with_the_highest_weighted_accuracy():
    random = np.random.default_rng(4)
    truth = random.random((80, 3)) < [0.5, 0.15, 0.02]
    scores = np.round(np.clip(0.2 + 0.3 * truth + 0.2 * random.normal(size=truth.shape), 0, 1), 2)
    gold = codes_of(truth)
    gold[0] = np.nan
    found = fit_thresholds(scores, gold)
    for c in (0, 1):
        every = [
            balanced_accuracy_score(truth[1:, c], scores[1:, c] > place)
            for place in np.arange(-0.005, 1, 0.01)
        ]
        own = balanced_accuracy_score(truth[1:, c], scores[1:, c] > found[c])
        assert own == pytest.approx(max(every))
    assert found[2] == 0.5  # too few have it
    assert fit_thresholds(np.ones((20, 1)), np.arange(20.0) % 2)[0] < 1


def test_thresholds_of_dev_are_fitted_for_each_model_and_never_on_test(tmp_path):
    corpus = sets()
    settings = learning(
        "demo_clips", loss="binary_cross_entropy", systems=["random_forest"], threshold="dev",
        random_forest={"trees": 20, "depth": [4]}, seeds=[1, 2],
    )  # fmt: skip
    predictions = run(corpus, tmp_path / "a", settings)
    scrambled = corpus.labels["recording"].str.startswith("test")
    other = corpus.labels.assign(gold_standard=corpus.labels["gold_standard"].where(~scrambled, 5.0))
    again = run(dataclasses.replace(corpus, labels=other), tmp_path / "b", settings)
    np.testing.assert_array_equal(again["prediction"], predictions["prediction"])
    names = [f"score_{code}" for code in range(3)]
    for _, own in predictions.groupby("seed"):
        dev = own[own["partition"] == "dev"]
        above = fit_thresholds(dev[names].to_numpy(), dev["gold"].to_numpy())
        np.testing.assert_array_equal(codes_of(own[names].to_numpy() > above), own["prediction"])


@pytest.mark.parametrize(
    "name", [name for name, own in SYSTEMS.items() if "multilabel" in own.tasks and name not in BY_WORDS]
)
def test_every_system_that_says_so_learns_several_labels(tmp_path, name):
    corpus = sets()
    settings = learning(
        "demo_clips", loss="binary_cross_entropy", alpha=[0.0, 0.3], beta=[0.0, 0.1],
        systems=[name, *COMPANIONS.get(name, ())],
        random_forest={"trees": 20, "depth": [4]}, support_vectors={"C": [0.01]},
        multi_task={"weight": [0.3]}, late_fusion={"weight": [0.5]}, **FAST,
    )  # fmt: skip
    if name == "multi_task":
        other = corpus.labels.assign(dimension="arousal", label=corpus.labels["label"] / 7, triplet_class=-1)
        corpus.labels = pd.concat([corpus.labels, other])
    predictions = run(corpus, tmp_path, settings)
    predictions = predictions[predictions["system"] == name]
    scores = predictions[[f"score_{c}" for c in range(3)]].to_numpy()
    np.testing.assert_array_equal(codes_of(scores > 0.5), predictions["prediction"])
    assert ((scores >= 0) & (scores <= 1)).all()
    test = predictions[predictions["partition"] == "test"]
    truth, found = (matrix_of(test[column], 3) for column in ("gold", "prediction"))
    if SYSTEMS[name].control_of is None:
        assert np.mean([balanced_accuracy_score(truth[:, c], found[:, c]) for c in range(3)]) > 0.8
    # what is loaded predicts the same
    setting = test["setting"].iloc[0]
    models = ModelsOfSetting.load(tmp_path / "models.safetensors", name, setting)
    own = test[test["setting"] == setting]
    recording = own["recording"].iloc[0]
    views = {"target": corpus.audio.read(recording).values}
    if SYSTEMS[name].needs == "all":
        views["auxiliary"] = corpus.video.read(recording).values
    again = models.predict(views)
    np.testing.assert_allclose(
        again[0, 0], own[own["recording"] == recording].filter(like="score_").iloc[0], atol=1e-5
    )
