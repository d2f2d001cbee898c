"""The batched program against a plain loop of torch modules, for every system, form and kind of data."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
import torch

from pipeline.learning.batches import Padded
from pipeline.learning.model_file import read_models
from pipeline.learning.sequences import Labelling, Sequences
from pipeline.learning.systems.emobed import program as state
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.network import Architecture, initial_weights
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.params import Grid
from tests.learning import plain_loop
from tests.learning.plain_loop import Example
from tests.learning.run_experiment import run_experiment
from tests.learning.synthetic import learning, sessions

# weights that float32 holds exactly: the program keeps alpha and beta in it
POINTS = [GridPoint(a, b, s) for a in (0.0, 0.25, 1.0) for b in (0.0, 0.125, 0.5) for s in (1, 2)]


@pytest.fixture
def double(monkeypatch):
    """Let the program compute in double precision: then only a different formula makes a difference."""
    of = Padded.of.__func__

    def in_double(cls, sequences, device, dtype=torch.float64):
        return of(cls, sequences, device, dtype)

    def start(*arguments, **options):
        return initial_weights(*arguments, **options, dtype=torch.float64)

    monkeypatch.setattr(Padded, "of", classmethod(in_double))
    monkeypatch.setattr(state, "initial_weights", start)


def examples(lengths, features: int, seed: int, classes: int = 2, codes: bool = False) -> list[Example]:
    """Make sequences with labels and classes, some of them missing."""
    random = np.random.default_rng(seed)
    made = []
    for frames in lengths:
        kinds = random.integers(0, classes, frames)
        labels = kinds.astype(float) if codes else 0.5 * random.normal(size=frames) + kinds
        if frames > 3:
            labels[1], kinds[[0, 2]] = np.nan, -1
        # as features are kept: float32 values
        made.append(
            Example(
                random.normal(size=(frames, features)).astype(np.float32), labels.astype(np.float32), kinds
            )
        )
    return made


def sequences(made: list[Example], partition: str = "train") -> Sequences:
    names = tuple(f"{partition}_{i}" for i in range(len(made)))
    return Sequences(
        names, (partition,) * len(made), names,
        tuple(e.features for e in made), tuple(e.labels for e in made), tuple(e.classes for e in made),
        tuple(e.labels.astype(float) for e in made),
    )  # fmt: skip


def exchanged(own: Example, other: Example) -> Example:
    """Return the features of one with the labels of another, frame by frame as far as there are any."""
    labels = [other.labels[k] if k < len(other.labels) else np.nan for k in range(len(own.labels))]
    classes = [other.classes[k] if k < len(other.classes) else -1 for k in range(len(own.classes))]
    return Example(own.features, np.array(labels, np.float32), np.array(classes))


def check(architecture, target, auxiliary, settings, points=POINTS, order=()) -> None:
    """Train all points in one program and each in a plain loop; hold every weight against the other's.

    order: whose labels the auxiliary sequences of the placebo get.
    """
    dev = sequences(examples([4], architecture.target_features, 99), "dev")
    permuted = [exchanged(own, auxiliary[other]) for own, other in zip(auxiliary, order, strict=bool(order))]
    labels = Labelling(tuple(e.labels for e in permuted), tuple(e.classes for e in permuted))
    data = TrainingData(
        architecture,
        sequences(target),
        sequences(auxiliary),
        dev,
        0,
        {point.seed: labels for point in points},
    )
    start = initial_weights(architecture, points[0].seed, "target", dtype=torch.float64)
    for model in train_program(data, settings, points):
        point = GridPoint.of(model.variant)
        others = permuted if point.permuted else auxiliary
        plain = plain_loop.train(architecture, target, others, settings, point)
        assert plain.keys() == model.weights.keys()
        for name, weight in plain.items():
            torch.testing.assert_close(
                model.weights[name].double(), weight, atol=3e-8, rtol=0, msg=f"{model.variant.name} {name}"
            )
        moved = (model.weights["target.0.weight_ih"] - start["target.0.weight_ih"]).abs().max()
        assert moved > 1e-3  # there was something to agree on


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", ["literal", "hinge", "softplus"])
def test_sequences_of_unequal_length_with_every_triplet_form(double, form, reduction):
    settings = learning(
        triplet={"form": form, "reduction": reduction, "margin": 0.4, "frames": 1000},
        optimiser={"epochs": 2, "average_epochs": 1, "clip_norm": None, "weight_decay": 0.01},
    )
    target, auxiliary = examples([9, 6, 8], 4, 1), examples([5, 9, 7, 3, 8], 3, 2)
    check(Architecture(4, 3, 1, 1, 5, False, 1), target, auxiliary, settings)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("form", ["literal", "hinge", "softplus"])
def test_utterances_with_every_triplet_form(double, form, reduction):
    settings = learning(
        "demo_clips",
        triplet={"form": form, "reduction": reduction, "margin": 0.4, "frames": 1000},
        optimiser={"epochs": 2, "average_epochs": 1, "batch": 8, "weight_decay": 0.01},
    )
    target, auxiliary = examples([1] * 20, 4, 3, 4, codes=True), examples([1] * 13, 3, 4, 4, codes=True)
    check(Architecture(4, 3, 1, 1, 5, False, 4), target, auxiliary, settings)


@pytest.mark.parametrize("loss", ["ccc", "mse"])
def test_deep_both_ways_clipped_and_with_few_frames_drawn_for_triplets(double, loss):
    settings = learning(
        loss=loss,
        triplet={"frames": 12},
        optimiser={"epochs": 2, "average_epochs": 1, "clip_norm": 0.05, "batch": 3},
    )
    target, auxiliary = examples([7, 9, 6, 8, 5], 4, 5, 3), examples([8, 6], 3, 6, 3)
    check(Architecture(4, 3, 2, 2, 3, True, 1), target, auxiliary, settings)


@pytest.mark.parametrize("form", ["literal", "softplus"])
def test_placebo_and_settings_of_the_classic_system_in_one_program_with_all_others(double, form):
    settings = learning(
        triplet={"form": form, "frames": 14},
        optimiser={"epochs": 2, "average_epochs": 1, "clip_norm": 0.3, "weight_decay": 0.01},
    )
    points = [GridPoint(a, b, s, "placebo") for a, b in ((0.25, 0.125), (1.0, 0.5)) for s in (1, 2)]
    points += [GridPoint(0, 0, s, rate=r, decay=d) for r, d in ((0.02, 0.01), (0.001, 0.5)) for s in (1, 2)]
    target, auxiliary = examples([9, 6, 8], 4, 1), examples([5, 9, 7, 4], 3, 2)
    check(Architecture(4, 3, 1, 1, 5, False, 1), target, auxiliary, settings, POINTS + points, [2, 0, 3, 1])


@pytest.mark.parametrize("batch", [2, 3])
def test_one_ccc_per_sequence(double, batch):
    settings = learning(
        ccc="sequence", triplet={"frames": 1000}, optimiser={"epochs": 2, "average_epochs": 1, "batch": batch}
    )
    target, auxiliary = examples([9, 6, 8], 4, 1), examples([5, 9, 7, 3, 8], 3, 2)
    target[1].labels[:] = np.nan  # does not count, rather than as a perfect one
    points = [GridPoint(a, b, 1) for a, b in ((0.0, 0.0), (0.25, 0.0), (1.0, 0.5))]
    check(Architecture(4, 3, 1, 1, 5, False, 1), target, auxiliary, settings, points)


def test_single_precision_agrees_too():
    settings = learning(optimiser={"epochs": 2, "average_epochs": 1})
    target, auxiliary = examples([9, 6, 8], 4, 1), examples([5, 9], 3, 2)
    data = TrainingData(
        Architecture(4, 3, 1, 1, 5, False, 1),
        sequences(target),
        sequences(auxiliary),
        sequences(examples([4], 4, 99), "dev"),
        0,
    )
    for model in train_program(data, settings, POINTS):
        plain = plain_loop.train(data.architecture, target, auxiliary, settings, GridPoint.of(model.variant))
        for name, weight in plain.items():
            torch.testing.assert_close(model.weights[name].double(), weight, atol=2e-4, rtol=0)


def scaled_by_hand(method: str, train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Scale rows of train, (rows, features): z-scores, or normal scores of mid-ranks."""
    if method == "standard":
        return (rows - train.mean(0)) / train.std(0)
    ranks = scipy.stats.rankdata(train, axis=0)  # ties get the mean of their ranks
    place = {
        value: rank
        for values, of in zip(train.T, ranks.T, strict=True)
        for value, rank in zip(values, of, strict=True)
    }
    return scipy.stats.norm.ppf((np.vectorize(place.get)(rows) - 0.5) / len(train))


@pytest.mark.parametrize("method", ["standard", "rank_gauss"])
def test_from_raw_features_over_scaling_and_subsequences_to_weights(double, tmp_path, method):
    """The whole experiment, read from its model file, against features scaled and cut by hand."""
    corpus = sessions(counts=(4, 2, 1), frames=30)
    settings = learning(
        scaling={"method": method},
        sequences={"length": 2.0, "hop": 1.2},  # 10 frames every 6
        triplet={"frames": 1000},
        optimiser={"epochs": 2, "average_epochs": 1},
        alpha=[0.0, 0.25],
        beta=[0.0, 0.5],
    )
    run_experiment(
        recordings=corpus.recordings, sources={"target": corpus.audio, "auxiliary": corpus.video},
        labels=corpus.labels,
        dimension="arousal", task="regression", grid=Grid(window=0.4, hop=0.2), delay_frames=3,
        learning=settings, models_directory=tmp_path, predictions_path=tmp_path / "raw.parquet",
    )  # fmt: skip
    tensors, _ = read_models(tmp_path / "models.safetensors")
    names = [f"train_{i}" for i in range(1, 5)]
    labels = {name: own for name, own in corpus.labels.groupby("recording")}
    cut = {}
    for modality, source in (("audio", corpus.audio), ("video", corpus.video)):
        raw = {name: source.read(name).values.astype(float) for name in names}
        train = np.concatenate(list(raw.values()))
        cut[modality] = [
            Example(
                scaled_by_hand(method, train, raw[name])[start : start + 10].astype(np.float32),
                labels[name]["label"].to_numpy()[start : start + 10].astype(np.float32),
                labels[name]["triplet_class"].to_numpy()[start : start + 10],
            )
            for name in names
            for start in (0, 6, 12, 18, 20)
        ]
    architecture = Architecture(6, 9, 1, 1, 8, False, 1)
    for point in [GridPoint(a, b, s) for a in (0.0, 0.25) for b in (0.0, 0.5) for s in (1, 2)]:
        plain = plain_loop.train(architecture, cut["audio"], cut["video"], settings, point)
        for name, weight in plain.items():
            found = tensors[f"{point.variant.name}/{name}"].double()
            torch.testing.assert_close(found, weight, atol=1e-5, rtol=0, msg=f"{point.variant.name} {name}")
