"""Golden numbers of the plain loop: networks of one and two parts, with and without a second dimension."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.late_fusion import LateData, LateFusion
from pipeline.learning.systems.multi_task import MultiTask
from pipeline.learning.torch_loop import LoopData
from pipeline.learning.torch_networks import Sizes
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.golden.learner import LEARNING, TOLERANCE, VARIANTS, part
from tests.learning.train_models import train_models

COUNTS = {"train": 5, "dev": 2, "test": 1}


def settings(system: str, changes: dict[str, Any]) -> Learning:
    groups = {
        name: LEARNING[name] | value if isinstance(value, dict) else value for name, value in changes.items()
    }
    own = {"systems": [system], "multi_task": {"weight": [0.7]}, "late_fusion": {"weight": [0.3]}}
    return Learning.model_validate(LEARNING | groups | own)


def data(learning: Learning, widths: tuple[int, ...], others: int) -> LoopData:
    classes = 3 if learning.loss == "cross_entropy" else 1
    sequences = part(np.random.default_rng(3), sum(widths), COUNTS, classes)
    network, train = learning.network, sequences.partition("train")
    second = tuple(array[:, 0] - array[:, 1] for array in train.features)
    sizes = Sizes(
        widths, network.encoder_layers, network.shared_layers, network.hidden, network.bidirectional,
        classes, others,
    )  # fmt: skip
    return LoopData(sizes, train, sequences.partition("dev", "test"), 0, 2, (second,) * others)


def loop(folder: Path) -> dict[str, Numbers | str]:
    found: dict[str, Numbers | str] = {}
    for name, changes in VARIANTS.items():
        learning = settings("multi_task", changes)
        for widths, others in (((5,), 1), ((3, 2), 0)):
            (model,) = train_models(MultiTask(), data(learning, widths, others), learning)
            values = np.concatenate(model.predictions)
            found[f"{name}; {len(widths)} parts, {others} others"] = Numbers(values, TOLERANCE)
    return found


def few(sequences: Sequences) -> Sequences:
    return dataclasses.replace(sequences, features=tuple(array[:, :2] for array in sequences.features))


def late(folder: Path) -> dict[str, Numbers | str]:
    learning = settings("late_fusion", {})
    first = data(learning, (5,), 0)
    second = dataclasses.replace(
        first,
        sizes=dataclasses.replace(first.sizes, widths=(2,)),
        train=few(first.train),
        evaluation=few(first.evaluation),
    )
    (model,) = train_models(LateFusion(), LateData((first, second)), learning)
    return {"two networks": Numbers(np.concatenate(model.predictions), TOLERANCE)}
