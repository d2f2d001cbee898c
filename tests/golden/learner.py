"""Golden numbers of the batched training: a few steps of each system, loss and form.

Tolerance: float32 products of another processor differ in the last bits (with SSE alone the numbers moved by
1e-6), and Adam divides by small gradients, so that over many steps it would be more.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.learning.sequences import Labelling, Sequences, subsequences
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.network import Architecture
from pipeline.learning.systems.emobed.permutation import permutation, relabelled
from pipeline.learning.systems.emobed.same_modality import SameModality
from pipeline.learning.systems.emobed.training_data import TrainingData
from pipeline.learning.votes import Distributions, coded
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.learning.train_models import train_models

TOLERANCE = 5e-4
LEARNING = {
    "network": {"encoder_layers": 1, "shared_layers": 1, "hidden": 4, "bidirectional": False},
    "optimiser": {
        "learning_rate": 5e-3,
        "weight_decay": 1e-2,
        "clip_norm": 0.5,
        "batch": 3,
        "epochs": 3,
        "patience": None,
        "weights": "average",
        "average_epochs": 2,
    },
    "loss": "ccc",
    "triplet": {"form": "literal", "margin": 1.0, "reduction": "mean", "frames": 24},
    "scaling": {"method": "standard", "speaker": "none"},
    "sequences": "whole",
    "alpha": [0.0, 0.3],
    "beta": [0.0, 0.4],
    "seeds": [1],
}
VARIANTS = {
    "ccc, literal": {},
    "ccc per sequence": {"ccc": "sequence"},
    "mse, hinge, sum, both ways, two layers": {
        "loss": "mse",
        "triplet": {"form": "hinge", "reduction": "sum", "margin": 0.5},
        "network": {"bidirectional": True, "encoder_layers": 2},
    },
    "cross entropy, softplus, best epoch": {
        "loss": "cross_entropy",
        "triplet": {"form": "softplus"},
        "optimiser": {"weights": "best_dev_epoch", "patience": 1, "clip_norm": None},
    },
}
GRADED = {
    "graded, literal": {"systems": ["graded_triplet"]},
    "graded, hinge": {"systems": ["graded_triplet"], "triplet": {"form": "hinge", "margin": 0.5}},
}


def part(random: np.random.Generator, features: int, counts: dict[str, int], classes: int) -> Sequences:
    """Return sequences whose labels follow from their features; one of each partition lacks some labels."""
    mixing = random.standard_normal((1, features))
    columns: list[list[object]] = [[] for _ in range(7)]
    for partition, count in counts.items():
        for number in range(count):
            frames = 1 if classes > 1 else 20 + 3 * number
            truth = random.integers(classes, size=1) if classes > 1 else random.standard_normal(frames)
            values = truth[:, None] * mixing + 0.5 * random.standard_normal((frames, features))
            label = truth.astype(np.float32)
            if classes == 1 and number == 1:
                label[:5] = np.nan
            kind = np.where(np.isnan(label), -1, truth if classes > 1 else truth > 0).astype(np.int64)
            name = f"{partition}_{number}"
            row = (name, partition, name, values.astype(np.float32), label, kind, truth.astype(np.float64))
            for column, cell in zip(columns, row, strict=True):
                column.append(cell)
    return Sequences(*map(tuple, columns))  # type: ignore[arg-type]


def votes(random: np.random.Generator, *parts: Sequences) -> dict[str, np.ndarray]:
    """Return shares of two classes among six raters of each sequence, (frames, classes) each."""
    names = sorted({name for own in parts for name in own.recordings})
    high = {name: random.integers(0, 7, 64) / 6 for name in names}
    return {name: np.stack((1 - own, own), axis=1).astype(np.float32) for name, own in high.items()}


def numbers(folder: Path) -> dict[str, Numbers | str]:
    found: dict[str, Numbers | str] = {}
    for name, changes in (VARIANTS | GRADED).items():
        raw = {
            key: value | changes[key] if isinstance(changes.get(key), dict) else changes.get(key, value)
            for key, value in LEARNING.items()
        }
        learning = Learning.model_validate(raw)
        classes = 3 if learning.loss == "cross_entropy" else 1
        random = np.random.default_rng(0)
        target = part(random, 5, {"train": 5, "dev": 2, "test": 1}, classes)
        auxiliary = part(random, 3, {"train": 7}, classes)
        network = learning.network
        architecture = Architecture(
            5,
            3,
            network.encoder_layers,
            network.shared_layers,
            network.hidden,
            network.bidirectional,
            classes,
        )
        train = target.partition("train")
        if classes == 1:
            train, auxiliary = subsequences(train, 16, 8), subsequences(auxiliary, 16, 8)
        moved = relabelled(auxiliary, permutation(len(auxiliary), 1))
        labels = {1: Labelling(moved.labels, moved.classes)}
        data = TrainingData(architecture, train, auxiliary, target.partition("dev", "test"), 2, labels)
        models = []
        if learning.by_votes:
            shares, (own, other) = coded((train, auxiliary), votes(random, train, auxiliary))
            data = replace(data, distributions=Distributions(shares, True, own.classes, other.classes))
        else:
            models = train_models(SameModality(), data.same_modality(), learning)
        for model in train_models(EmoBed(), data, learning) + models:
            what = f"{name}: {model.variant.system}"
            found[f"{what}, curve"] = Numbers(model.curve, TOLERANCE)
            first = np.concatenate([p[::4] for p in model.predictions])
            found[f"{what}, predictions"] = Numbers(first, TOLERANCE)
            norms = [[float(tensor.norm())] for _, tensor in sorted(model.weights.items())]
            found[f"{what}, norms of weights"] = Numbers(norms, TOLERANCE)
    return found
