"""Golden numbers of matched networks: utterances, and traces whose utterances are sequences."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.learning.systems.matched.autoencoders import Shape
from pipeline.learning.systems.matched.learner import Matched
from pipeline.learning.systems.matched.matched_data import MatchedData
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.golden.learner import LEARNING, TOLERANCE, part
from tests.golden.taught import narrow
from tests.learning.train_models import train_models

CHANGES = {
    "ccc, sequences": {"loss": "ccc"},
    "cross entropy, other batch": {"loss": "cross_entropy"},
    "cross entropy, other class, given sigma": {
        "loss": "cross_entropy",
        "matched": {"unpaired": "other_class", "sigma": 0.8, "omega": 0.5},
    },
}
SMALL = {"alpha": [0.5], "beta": [1.0], "hidden": 6, "latent": 3, "heads": 2, "times": 4}


def data(learning: Learning) -> MatchedData:
    own, classes = learning.matched, 3 if learning.loss == "cross_entropy" else 1
    sequences = part(np.random.default_rng(4), 5, {"train": 8, "dev": 2, "test": 1}, classes)
    train, evaluation = sequences.partition("train"), sequences.partition("dev", "test")
    unlabelled = tuple(np.full_like(own, np.nan) if i > 4 else own for i, own in enumerate(train.labels))
    train = type(train)(
        train.recordings,
        train.partitions,
        train.speakers,
        train.features,
        unlabelled,
        train.classes,
        train.gold,
    )
    present = np.ones((len(train), 2), bool)
    present[1, 1] = False
    frames = 1 if classes > 1 else 5
    shape = Shape((2, 3), frames, own.layers, own.hidden, own.latent, own.heads, own.convolutions, classes)
    each = 1 if classes > 1 else 3
    return MatchedData(shape, train, present, narrow(evaluation), evaluation, 0, 0, 2, each)


def numbers(folder: Path) -> dict[str, Numbers | str]:
    found: dict[str, Numbers | str] = {}
    systems = ["matched", "matched_apart", "matched_all"]
    for name, changes in CHANGES.items():
        own = {"systems": systems, "matched": SMALL | changes.get("matched", {}), "loss": changes["loss"]}
        optimiser = LEARNING["optimiser"] | {"batch": 4}
        learning = Learning.model_validate(LEARNING | own | {"optimiser": optimiser})
        for model in train_models(Matched(), data(learning), learning):
            found[f"{name}, {model.variant.system}"] = Numbers(np.concatenate(model.predictions), TOLERANCE)
    return found
