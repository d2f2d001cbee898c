"""Golden numbers of a taught student: a teacher of all modalities, with and without the similarities."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from pipeline.learning.sequences import Sequences
from pipeline.learning.systems.taught.learner import Taught, TaughtData
from pipeline.learning.systems.taught.lessons import Lesson
from pipeline.learning.torch_loop import LoopData
from pipeline.learning.torch_networks import Sizes
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.golden.learner import LEARNING, TOLERANCE, VARIANTS, part
from tests.learning.train_models import train_models

CHANGES = {"": {}, ", similarities": {"similarity": 0.5, "members": 1, "temperature": 2.0}}


def narrow(sequences: Sequences) -> Sequences:
    return dataclasses.replace(sequences, features=tuple(array[:, :2] for array in sequences.features))


def data(learning: Learning) -> TaughtData:
    classes = 3 if learning.loss == "cross_entropy" else 1
    sequences = part(np.random.default_rng(4), 5, {"train": 8, "dev": 2, "test": 1}, classes)
    evaluation, train = sequences.partition("dev", "test"), sequences.partition("train")
    network = learning.network
    sizes = Sizes(
        (5,), network.encoder_layers, network.shared_layers, network.hidden, network.bidirectional, classes
    )
    seen, rest = train.select(range(4)), train.select(range(4, 8))
    teacher = LoopData(sizes, seen, evaluation, 0, 2)
    student = LoopData(dataclasses.replace(sizes, widths=(2,)), narrow(seen), narrow(evaluation), 0, 2)
    return TaughtData(student, (Lesson((teacher,), (rest,), narrow(rest)),), "concat")


def numbers(folder: Path) -> dict[str, Numbers | str]:
    found: dict[str, Numbers | str] = {}
    for name, groups in VARIANTS.items():
        changes = {
            key: LEARNING[key] | value if isinstance(value, dict) else value for key, value in groups.items()
        }
        for what, own in CHANGES.items():
            systems = {"systems": ["taught", "taught_same", "teacher"], "taught": {"weight": [0.6], **own}}
            learning = Learning.model_validate(LEARNING | changes | systems)
            (model,) = train_models(Taught(), data(learning), learning)
            found[name + what] = Numbers(np.concatenate(model.predictions), TOLERANCE)
    return found
