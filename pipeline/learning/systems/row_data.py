"""An experiment's data as one matrix of rows, for systems that know nothing of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.dev_scores import shift_back
from pipeline.learning.experiment_data import ExperimentData
from pipeline.learning.learner import Predictor
from pipeline.learning.sequences import Sequences
from pipeline.learning.system import Variant
from pipeline.learning.trained_model import CURVES, TrainedModel


@dataclass(frozen=True)
class RowData:
    """The labelled train rows of the target, scaled, and what is predicted.

    features: (rows, features). labels: (rows,), codes for classes. classes: how many, 0 for regression.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.float64]
    evaluation: Sequences
    classes: int
    delay_frames: int


def row_data(data: ExperimentData) -> RowData:
    """Stack the labelled rows of all train recordings, in their order."""
    chosen = data.views["target"].labelled
    features, labels = np.concatenate(chosen.features), np.concatenate(chosen.labels).astype(np.float64)
    known = np.isfinite(labels)
    return RowData(features[known], labels[known], data.evaluation, len(data.classes), data.delay_frames)


def row_fingerprint(data: RowData) -> dict[str, Any]:
    """Return what a model depends on of the data."""
    train = Sequences(
        ("train",), ("train",), ("",), (data.features,), (data.labels.astype(np.float32),),
        (np.zeros(len(data.labels), np.int64),), (data.labels,),
    )  # fmt: skip
    return {
        "train": train.sha256(),
        "evaluation": data.evaluation.sha256(),
        "classes": data.classes,
        "delay_frames": data.delay_frames,
    }


def trained(
    variant: Variant, weights: dict[str, torch.Tensor], predictor: Predictor, data: RowData
) -> TrainedModel:
    """Return a finished model with its predictions, shifted back by the annotation delay."""
    return TrainedModel(
        variant,
        weights,
        np.zeros((0, len(CURVES))),
        tuple(_shifted(predictor, values, data.delay_frames) for values in data.evaluation.features),
    )


def class_scores(scores: NDArray[np.float64], seen: Sequence[int], classes: int) -> NDArray[np.float64]:
    """Return scores (rows, classes seen in train) as (rows, classes), 0 for a class never seen."""
    every = np.zeros((len(scores), classes))
    every[:, list(seen)] = scores
    return every


def _shifted(predictor: Predictor, values: NDArray[np.float32], delay_frames: int) -> NDArray[np.float32]:
    outputs = torch.from_numpy(predictor.predict({"target": values}))  # (1, frames, outputs)
    return shift_back(outputs.unsqueeze(1), delay_frames)[0, 0].numpy()
