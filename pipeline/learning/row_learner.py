"""The common part of systems that know nothing of time: all rows of train in one matrix, models from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.learning.dev_scores import shift_back
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import Predictor
from pipeline.learning.one_by_one import OneByOne
from pipeline.learning.sequences import Sequences
from pipeline.learning.stepping import Step
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import CURVES, TrainedModel
from pipeline.params import Learning


@dataclass(frozen=True)
class RowData:
    """The labelled train rows of the target, scaled, and what is predicted.

    features: (rows, features). labels: (rows,), codes for classes. classes: how many, 0 for regression.
    several: a row may have any number of them, and labels are codes of sets. positive_weight: then of a label
    of each class, (classes,).
    """

    features: NDArray[np.float32]
    labels: NDArray[np.float64]
    evaluation: Sequences
    classes: int
    delay_frames: int
    several: bool = False
    positive_weight: tuple[float, ...] = ()

    @property
    def matrix(self) -> NDArray[np.bool_]:
        """Return which classes each row has, (rows, classes), where it may have several."""
        return matrix_of(self.labels, self.classes)


def row_data(data: ExperimentData) -> RowData:
    """Stack the labelled rows of all train recordings, in their order."""
    chosen = data.views["target"].labelled
    features, labels = np.concatenate(chosen.features), np.concatenate(chosen.labels).astype(np.float64)
    known = np.isfinite(labels)
    return RowData(
        features[known], labels[known], data.evaluation, len(data.classes), data.delay_frames,
        data.several, data.positive_weight,
    )  # fmt: skip


class RowPredictor(ABC):
    """Models that read the rows of the target, and have no encoders."""

    @abstractmethod
    def predict(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, frames, outputs) for scaled features; see `Predictor`."""

    def stepper(self) -> Step:
        """Return the models, which remember nothing; see `pipeline.learning.stepping`."""
        return self.predict

    def predict_each(self, views: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Return outputs (seeds, recordings, frames, outputs): rows are by themselves anyway."""
        values = views["target"]
        outputs = self.predict({"target": values.reshape(-1, values.shape[2])})
        return outputs.reshape(len(outputs), *values.shape[:2], -1)

    def embed(self, values: NDArray[np.float32], view: str) -> NDArray[np.float32]:
        """Refuse: there are no encoders."""
        raise ValueError(f"a system of rows has no embeddings, of the {view} modality or another")


class RowLearner(OneByOne):
    """A learner from single rows; whoever derives says what it does with them."""

    def prepare(self, data: ExperimentData, learning: Learning) -> RowData:
        """Return the labelled rows of train."""
        return row_data(data)

    def depends_on(self, data: RowData, learning: Learning, device: str) -> dict[str, Any]:
        """Return what each model depends on."""
        labels: Any = data.labels if data.several else data.labels.astype(np.float32)
        train = Sequences(
            ("train",), ("train",), ("",), (data.features,), (labels,),
            (np.zeros(len(data.labels), np.int64),), (data.labels,),
        )  # fmt: skip
        return {
            "scikit-learn": version("scikit-learn"),
            "train": train.sha256(),
            **({"several": list(data.positive_weight)} if data.several else {}),
            "evaluation": data.evaluation.sha256(),
            "classes": data.classes,
            "delay_frames": data.delay_frames,
        } | self.options(learning)

    def train_one(
        self, data: RowData, learning: Learning, variant: Variant, device: str, marks: Path | None
    ) -> TrainedModel:
        """Fit a model and predict with it, shifted back by the annotation delay."""
        weights = self.fit(data, learning, variant)
        predictor = self.predictor([weights], self.about(data))
        predictions = (_shifted(predictor, own, data.delay_frames) for own in data.evaluation.features)
        return TrainedModel(variant, weights, np.zeros((0, len(CURVES))), tuple(predictions))

    def about(self, data: RowData) -> dict[str, Any]:
        """Return the number of classes, and whether a row may have several."""
        about = {"version": self.version, "classes": data.classes}
        return about | ({"several": True} if data.several else {})

    def options(self, learning: Learning) -> dict[str, Any]:
        """Return the parameters that all settings share; none where nothing else is said."""
        return {}

    @abstractmethod
    def fit(self, data: RowData, learning: Learning, variant: Variant) -> dict[str, torch.Tensor]:
        """Return the weights of a model."""

    @abstractmethod
    def predictor(self, weights: Sequence[Mapping[str, torch.Tensor]], about: Mapping[str, Any]) -> Predictor:
        """Return models that predict."""


def class_scores(scores: NDArray[np.float64], seen: Sequence[int], classes: int) -> NDArray[np.float64]:
    """Return scores (rows, classes seen in train) as (rows, classes), 0 for a class never seen."""
    every = np.zeros((len(scores), classes))
    every[:, list(seen)] = scores
    return every


def _shifted(predictor: Predictor, values: NDArray[np.float32], delay_frames: int) -> NDArray[np.float32]:
    outputs = torch.from_numpy(predictor.predict({"target": values}))  # (1, frames, outputs)
    return shift_back(outputs.unsqueeze(1), delay_frames)[0, 0].numpy()
