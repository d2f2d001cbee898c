"""Logits and labels of recordings -> binary cross-entropy in which classes that are rare weigh more."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray


def positive_weights(labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return negatives / positives of each class, (classes,); 1 of one that all or none carry.

    labels: (recordings, classes), rows of NaN for recordings without a label.
    """
    known = labels[np.isfinite(labels).all(axis=1)]
    positives = known.sum(axis=0)
    some = (positives > 0) & (positives < len(known))
    return np.where(some, (len(known) - positives) / np.maximum(positives, 1), 1).astype(np.float32)


def binary_loss(logits: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return `-mean(weight y log p + (1 - y) log(1 - p))` over recordings and classes, p = sigmoid(logit).

    logits, labels: (recordings, classes). weights: of positives, (classes,).
    """
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=weights)
