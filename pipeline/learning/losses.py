"""Predictions and labels -> the loss of each model: 1 - CCC, mean squared error, cross-entropy.

All take a leading model axis and a mask of labelled frames; a batch without any label gives a zero
that is attached to the graph.
"""

from __future__ import annotations

import torch
import torch.nn.functional

SMALLEST = 1e-12


def ccc(prediction: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor) -> torch.Tensor:
    """Return the concordance correlation coefficient over all labelled frames of each model.

    `2 cov / (var_p + var_l + (mean_p - mean_l)**2)` with population moments (divided by N), as the
    field does (facts.md); 0 for constants.

    prediction, label, labelled: (models, batch, frames); labelled is 1.0 or 0.0. Returns (models,).
    """
    prediction, label, labelled = (part.flatten(1) for part in (prediction, label, labelled))
    count = labelled.sum(1, keepdim=True).clamp_min(1)
    mean_p = (prediction * labelled).sum(1, keepdim=True) / count
    mean_l = (label * labelled).sum(1, keepdim=True) / count
    off_p, off_l = (prediction - mean_p) * labelled, (label - mean_l) * labelled
    variances = (off_p.square().sum(1) + off_l.square().sum(1)) / count[:, 0]
    distance = (mean_p - mean_l)[:, 0].square()
    covariance = (off_p * off_l).sum(1) / count[:, 0]
    return 2 * covariance / (variances + distance).clamp_min(SMALLEST)


def ccc_loss(prediction: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor) -> torch.Tensor:
    """Return 1 - CCC of each model, (models,); arguments as for `ccc`."""
    any_label = (labelled.flatten(1).sum(1) > 0).to(prediction.dtype)
    return (1 - ccc(prediction, label, labelled)) * any_label


def mse(prediction: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error of each model, (models,); arguments as for `ccc`."""
    error = ((prediction - label).square() * labelled).flatten(1).sum(1)
    return error / labelled.flatten(1).sum(1).clamp_min(1)


def cross_entropy(logits: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor) -> torch.Tensor:
    """Return the mean cross-entropy of each model, (models,).

    logits: (models, batch, frames, classes). label: class codes, (models, batch, frames).
    """
    error = torch.nn.functional.cross_entropy(
        logits.flatten(0, 2), label.long().flatten(), reduction="none"
    ).view(label.shape)
    return (error * labelled).flatten(1).sum(1) / labelled.flatten(1).sum(1).clamp_min(1)


def prediction_loss(
    name: str, outputs: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor
) -> torch.Tensor:
    """Return the loss `name` (ccc, mse, cross_entropy) of each model, (models,).

    outputs: of the network, (models, batch, frames, outputs).
    """
    if name == "cross_entropy":
        return cross_entropy(outputs, label, labelled)
    return {"ccc": ccc_loss, "mse": mse}[name](outputs[..., 0], label, labelled)
