"""What a training ends with: a model, or a sentence why there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.system import Variant

CURVES = ("loss_target", "loss_auxiliary", "loss_triplet", "anchors_left_out", "dev_score", "dev_loss")
"""Columns of a learning curve, one row per epoch; NaN where a system has no such loss, or dev no labels.

Units of the store hold them by place, so their names are a part of the units' keys.
"""


class TrainingError(RuntimeError):
    """Report a model whose training cannot go on: which model, which epoch, what was seen."""


@dataclass(frozen=True)
class TrainedModel:
    """A finished model.

    weights: all that predictions need besides the scaling, by name. curve: (epochs, `CURVES`), without rows
    for a system that is not trained in epochs.
    predictions: of each evaluation recording, shifted back, (frames, outputs); probabilities for
    classes.
    """

    variant: Variant
    weights: dict[str, torch.Tensor]
    curve: NDArray[np.float64]
    predictions: tuple[NDArray[np.float32], ...]
