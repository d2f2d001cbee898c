"""What a training starts from and what it ends with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.batches import Sequences
from pipeline.learning.network import Architecture
from pipeline.learning.system import Variant

CURVES = ("loss_target", "loss_auxiliary", "loss_triplet", "anchors_left_out", "dev_score")
"""Columns of a learning curve, one row per epoch."""


@dataclass(frozen=True)
class TrainingData:
    """What models learn from.

    target, auxiliary: labelled train sequences of the two modalities. evaluation: whole recordings
    of dev and test, target modality. delay_frames: by which labels were moved.
    """

    architecture: Architecture
    target: Sequences
    auxiliary: Sequences
    evaluation: Sequences
    delay_frames: int


@dataclass(frozen=True)
class TrainedModel:
    """A finished model.

    weights: by name, of both encoders, the shared network and the head. curve: (epochs, `CURVES`).
    predictions: of each evaluation recording, shifted back, (frames, outputs); probabilities for
    classes.
    """

    variant: Variant
    weights: dict[str, torch.Tensor]
    curve: NDArray[np.float64]
    predictions: tuple[NDArray[np.float32], ...]
