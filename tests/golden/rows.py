"""Golden numbers of the systems of single rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.learning.learner import Learner
from pipeline.learning.row_learner import RowData
from pipeline.learning.systems.random_forest import RandomForest
from pipeline.learning.systems.support_vectors import SupportVectors
from pipeline.params import Learning
from tests.golden.comparison import Numbers
from tests.golden.learner import LEARNING, TOLERANCE, part
from tests.learning.train_models import train_models


def forest(folder: Path) -> dict[str, Numbers | str]:
    return _numbers(RandomForest())


def support_vectors(folder: Path) -> dict[str, Numbers | str]:
    exact = {f"{name}, no zone": own for name, own in _numbers(SupportVectors(), 0.0, (0,)).items()}
    return _numbers(SupportVectors()) | exact


def _numbers(
    learner: Learner, epsilon: float = 0.05, every: tuple[int, ...] = (0, 3)
) -> dict[str, Numbers | str]:
    raw = LEARNING | {
        "systems": list(learner.systems),
        "seeds": [1],
        "random_forest": {"trees": 5, "depth": [3]},
        "support_vectors": {"C": [0.01, 1.0], "epsilon": epsilon},
    }
    found: dict[str, Numbers | str] = {}
    for classes in every:
        sequences = part(np.random.default_rng(0), 5, {"train": 30, "dev": 4}, max(1, classes))
        train = sequences.partition("train")
        labels = np.concatenate(train.labels).astype(np.float64)
        known = np.isfinite(labels)
        features = np.concatenate(train.features)[known]
        data = RowData(features, labels[known], sequences.partition("dev"), classes, 0)
        for model in train_models(learner, data, Learning.model_validate(raw)):
            name = f"{classes} classes, {model.variant.setting}"
            found[name] = Numbers(np.concatenate(model.predictions), TOLERANCE)
    return found
