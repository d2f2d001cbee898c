"""The placebo and the same-modality control: what they share with EmoBed, and what they never see."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from pipeline.catalogue.systems import SYSTEMS, controls
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.frame_labels import frame_labels
from pipeline.learning.sequences import MISSING, Labelling, Sequences
from pipeline.learning.systems.emobed import training_data as preparation
from pipeline.learning.systems.emobed.grid import grid_points
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.permutation import permutation, relabelled
from pipeline.learning.systems.emobed.same_modality import SameModality
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData, training_data
from pipeline.learning.trained_model import TrainedModel
from pipeline.learning.training import unit_keys
from pipeline.learning.views import scaled_view
from tests.learning.synthetic import Corpus, clips, learning, sessions
from tests.learning.systems.emobed.test_training import data, made_up
from tests.learning.train_models import train_models

WITH_CONTROLS = ["classic", "joint", "triplet", "emobed", "placebo", "same_modality"]
FEW = {"epochs": 2, "average_epochs": 1}
SETTINGS = learning(systems=WITH_CONTROLS, triplet={"frames": 20}, optimiser=FEW)


def assert_equal_models(one: TrainedModel, other: TrainedModel) -> None:
    """Hold all of two models but their names against each other, bit by bit."""
    assert one.weights.keys() == other.weights.keys()
    for name, tensor in one.weights.items():
        assert torch.equal(tensor, other.weights[name]), name
    np.testing.assert_array_equal(one.curve, other.curve)
    for a, b in zip(one.predictions, other.predictions, strict=True):
        np.testing.assert_array_equal(a, b)


def by_system(models: list[TrainedModel]) -> dict[str, list[TrainedModel]]:
    found: dict[str, list[TrainedModel]] = {}
    for model in models:
        found.setdefault(model.variant.system, []).append(model)
    return found


def experiment(corpus: Corpus, task: str = "regression") -> ExperimentData:
    """Return the views of a made-up corpus, audio as the target."""
    dimension = "arousal" if task == "regression" else "emotion"
    labels = frame_labels(corpus.labels, dimension)
    views = {
        role: scaled_view(corpus.recordings, source, labels, SETTINGS.scaling, modality, role)
        for role, modality, source in (
            ("target", "audio", corpus.audio),
            ("auxiliary", "video", corpus.video),
        )
    }
    hop, classes = (0.2, ()) if task == "regression" else (None, ("a", "b", "c", "d"))
    return ExperimentData(views, classes, hop, 3 if hop else 0)


def some_missing(sequences: Sequences) -> Sequences:
    """Return the sequences without some labels and classes, other ones in each."""
    labels, classes = [own.copy() for own in sequences.labels], [own.copy() for own in sequences.classes]
    for i, (own, kinds) in enumerate(zip(labels, classes, strict=True)):
        own[i : i + 8], kinds[i : i + 8] = np.nan, MISSING
    return dataclasses.replace(sequences, labels=tuple(labels), classes=tuple(classes))


def labelling(sequences: Sequences) -> Labelling:
    return Labelling(sequences.labels, sequences.classes)


def test_the_table_says_of_which_system_they_are_controls():
    assert controls("emobed") == ["placebo", "same_modality"]
    every = [name for system in SYSTEMS for name in controls(system)]
    assert all((entry.control_of is None) == (entry.name not in every) for entry in SYSTEMS.values())


def test_controls_are_chosen_from_the_weights_that_emobed_is_chosen_from():
    settings = learning(systems=WITH_CONTROLS, alpha=[0.0, 0.3, 0.1], beta=[0.0, 0.1, 0.2], seeds=[2, 1])
    found: dict[str, list[tuple[str, int]]] = {}
    for point in grid_points(settings):
        assert GridPoint.of(point.variant) == point
        found.setdefault(point.system, []).append(point.variant[1:])
    assert len(found["emobed"]) == 8
    assert found["placebo"] == found["same_modality"] == found["emobed"]


def test_a_placebo_whose_labels_stay_is_emobed_bit_by_bit():
    given = data()
    auxiliary = some_missing(given.auxiliary)
    own = {seed: labelling(auxiliary) for seed in SETTINGS.seeds}
    given = dataclasses.replace(given, auxiliary=auxiliary, permuted=own)
    models = by_system(train_models(EmoBed(), given, SETTINGS))
    assert len(models["placebo"]) == 2
    for placebo, emobed in zip(models["placebo"], models["emobed"], strict=True):
        assert placebo.variant[1:] == emobed.variant[1:]
        assert_equal_models(placebo, emobed)


def test_a_placebo_is_emobed_on_a_corpus_with_these_labels_and_sees_no_others():
    given, point = data(), GridPoint(0.3, 0.1, 2)
    auxiliary = some_missing(given.auxiliary)
    orders = {1: [1, 2, 3, 4, 0], 2: [4, 3, 1, 0, 2]}
    permuted = {seed: labelling(relabelled(auxiliary, order)) for seed, order in orders.items()}
    mixed = dataclasses.replace(given, auxiliary=auxiliary, permuted=permuted)
    (emobed,) = train_program(
        dataclasses.replace(given, auxiliary=relabelled(auxiliary, orders[2])), SETTINGS, [point]
    )
    points = [*grid_points(SETTINGS)[:8], *(GridPoint(0.3, 0.1, seed, "placebo") for seed in (1, 2))]
    placebo = train_program(mixed, SETTINGS, points)[-1]
    assert placebo.variant == ("placebo", "alpha=0.3 beta=0.1", 2)
    assert_equal_models(placebo, emobed)
    # neither the loss nor the classes of the triplets see the true ones
    nonsense = dataclasses.replace(
        auxiliary,
        labels=tuple(np.full_like(own, 1e6) for own in auxiliary.labels),
        classes=tuple(np.full_like(own, 3) for own in auxiliary.classes),
    )
    assert_equal_models(
        train_program(dataclasses.replace(mixed, auxiliary=nonsense), SETTINGS, points[-1:])[0], placebo
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 3, 7])
def test_no_recording_keeps_its_labels(count, seed):
    order = permutation(count, seed)
    assert sorted(order) == list(range(count))
    assert (order != np.arange(count)).all()
    np.testing.assert_array_equal(order, permutation(count, seed))


def test_one_recording_keeps_its_labels_and_it_is_said(caplog):
    assert permutation(1, 0).tolist() == [0]
    assert "there is one labelled train recording" in caplog.text


def test_whole_label_sequences_move_among_train_recordings(monkeypatch):
    corpus = sessions(frames=40)
    short = corpus.labels["recording"].isin(["train_2", "dev_1"]) & (corpus.labels["time"] > 5.1)
    given = experiment(dataclasses.replace(corpus, labels=corpus.labels[~short]))
    auxiliary = given.views["auxiliary"].labelled
    assert [len(own) for own in auxiliary.labels] == [40, 26, 40, 40, 40]
    found = training_data(given, SETTINGS)
    for seed, own in found.permuted.items():
        order = permutation(5, seed)
        for i, source in enumerate(order):
            n = min(len(own.labels[i]), len(auxiliary.labels[source]))
            assert len(own.labels[i]) == len(auxiliary.labels[i])
            np.testing.assert_array_equal(own.labels[i][:n], auxiliary.labels[source][:n])
            np.testing.assert_array_equal(own.classes[i][:n], auxiliary.classes[source][:n])
            assert np.isnan(own.labels[i][n:]).all()
            assert (own.classes[i][n:] == MISSING).all()
    assert found.permuted[1].sha256() != found.permuted[2].sha256()
    # sub-sequences are cut after labels moved: those of a recording come from one other
    cut = training_data(given, learning(systems=["placebo"], sequences={"length": 2.0, "hop": 1.2}))
    whole = {name: i for i, name in enumerate(auxiliary.recordings)}
    order, starts = permutation(5, 1), dict.fromkeys(auxiliary.recordings, 0)
    for name, own, true in zip(
        cut.auxiliary.recordings, cut.permuted[1].labels, cut.auxiliary.labels, strict=True
    ):
        other = auxiliary.labels[order[whole[name]]]
        last = len(auxiliary.labels[whole[name]]) - 10
        start = min(starts[name], last)
        starts[name] += 6
        expected = np.full(10, np.nan, np.float32)
        expected[: len(other[start : start + 10])] = other[start : start + 10]
        np.testing.assert_array_equal(own, expected)
        assert not np.array_equal(own, true)


def test_labels_of_dev_and_test_reach_no_placebo():
    corpus = clips(counts=(24, 8, 8))
    labels = corpus.labels.copy()
    others = ~labels["recording"].str.startswith("train")
    for column in ("gold_standard", "label", "triplet_class"):
        labels.loc[others, column] = 0
    settings = learning("demo_clips", systems=["placebo"], optimiser=FEW)
    one, two = (
        train_models(EmoBed(), EmoBed().prepare(experiment(each, "classification"), settings), settings)
        for each in (corpus, dataclasses.replace(corpus, labels=labels))
    )
    for a, b in zip(one, two, strict=True):
        assert all(torch.equal(tensor, b.weights[name]) for name, tensor in a.weights.items())
        np.testing.assert_array_equal(a.curve[:, :4], b.curve[:, :4])
        assert (a.curve[:, 4] != b.curve[:, 4]).any()  # dev scores, which settings are chosen by


def test_the_same_modality_is_emobed_on_a_corpus_whose_other_modality_is_a_copy():
    given = experiment(sessions(frames=40))
    copy = dataclasses.replace(given, views=dict.fromkeys(("target", "auxiliary"), given.views["target"]))
    control = train_models(SameModality(), SameModality().prepare(given, SETTINGS), SETTINGS)
    emobed = by_system(train_models(EmoBed(), EmoBed().prepare(copy, SETTINGS), SETTINGS))["emobed"]
    assert [model.variant.system for model in control] == ["same_modality"] * 2
    for one, other in zip(control, emobed, strict=True):
        assert_equal_models(one, other)
        assert not torch.equal(one.weights["auxiliary.0.weight_ih"], one.weights["target.0.weight_ih"])


def test_the_same_modality_takes_as_many_steps_as_the_other_systems():
    large = dataclasses.replace(data(), auxiliary=made_up(11, "train", 9, 9))
    assert large.steps(2) == large.same_modality().steps(2) == 6
    assert data().same_modality().steps(2) == data().steps(2) == 3
    assert large.same_modality().architecture.auxiliary_features == 6


def test_a_control_costs_only_itself(monkeypatch):
    """Keys of the others stay, and of the placebo's only those change whose labels do."""
    few = learning(optimiser=FEW, systems=WITH_CONTROLS[:4])
    given: TrainingData = preparation.training_data(experiment(sessions(frames=20)), SETTINGS)
    without = dataclasses.replace(given, permuted={})
    keys, all_keys = unit_keys(EmoBed(), without, few, "cpu"), unit_keys(EmoBed(), given, learning(
        optimiser=FEW, systems=WITH_CONTROLS), "cpu")  # fmt: skip
    assert keys.items() <= all_keys.items()
    assert {variant.system for variant in all_keys.keys() - keys.keys()} == {"placebo"}
    other = dict(given.permuted) | {1: labelling(relabelled(given.auxiliary, [1, 0, 3, 2, 4]))}
    changed = unit_keys(EmoBed(), dataclasses.replace(given, permuted=other), SETTINGS, "cpu")
    unchanged = unit_keys(EmoBed(), given, SETTINGS, "cpu")
    assert {v for v in changed if changed[v] != unchanged[v]} == {("placebo", "alpha=0.3 beta=0.1", 1)}
