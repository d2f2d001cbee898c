"""Predictions and labels -> the loss of each model: 1 - CCC, mean squared error, (binary) cross-entropy.

The CCC is one over all frames of a batch, or the mean of one per sequence.

All take a leading model axis and a mask of labelled frames; a batch without any label gives a zero
that is attached to the graph.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional

from pipeline.params import CccOver

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


def ccc_loss_per_sequence(
    prediction: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor
) -> torch.Tensor:
    """Return the mean of 1 - CCC over the sequences with a label, (models,); arguments as for `ccc`."""
    models, sequences = labelled.shape[:2]
    parts = (part.flatten(0, 1).unsqueeze(1) for part in (prediction, label, labelled))
    losses = ccc_loss(*parts).view(models, sequences)  # 0 for a sequence without a label
    counted = labelled.sum(2) > 0
    return losses.sum(1) / counted.sum(1).clamp_min(1)


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


def binary_cross_entropy(
    logits: torch.Tensor, label: torch.Tensor, labelled: torch.Tensor, positive_weight: Sequence[float]
) -> torch.Tensor:
    """Return the mean over classes of the binary cross-entropy of each model, (models,).

    `-(w_c y log sigmoid(x) + (1 - y) log(1 - sigmoid(x)))`, w_c the weight of a label of class c.

    logits: (models, batch, frames, classes). label: codes of sets (`pipeline.corpora.label_sets`), (models,
    batch, frames). positive_weight: (classes,).
    """
    matrix = members(label, logits.shape[-1]).to(logits.dtype)
    error = torch.nn.functional.binary_cross_entropy_with_logits(
        logits,
        matrix,
        pos_weight=torch.tensor(positive_weight, dtype=logits.dtype, device=logits.device),
        reduction="none",
    ).mean(-1)
    return (error * labelled).flatten(1).sum(1) / labelled.flatten(1).sum(1).clamp_min(1)


def members(label: torch.Tensor, classes: int) -> torch.Tensor:
    """Return whether each class is in sets, 0 or 1, (..., classes), for their codes, (...)."""
    places = torch.arange(classes, device=label.device)
    return (label.long().unsqueeze(-1) >> places) & 1


def prediction_loss(
    name: str,
    outputs: torch.Tensor,
    label: torch.Tensor,
    labelled: torch.Tensor,
    ccc_over: CccOver = "batch",
    positive_weight: Sequence[float] = (),
) -> torch.Tensor:
    """Return the loss `name` (ccc, mse, cross_entropy, binary_cross_entropy) of each model, (models,).

    outputs: of the network, (models, batch, frames, outputs). ccc_over: what one CCC is of. positive_weight:
    of a label of each class, for binary_cross_entropy.
    """
    if name == "binary_cross_entropy":
        return binary_cross_entropy(outputs, label, labelled, positive_weight)
    if name == "cross_entropy":
        return cross_entropy(outputs, label, labelled)
    concordance = {"batch": ccc_loss, "sequence": ccc_loss_per_sequence}[ccc_over]
    return {"ccc": concordance, "mse": mse}[name](outputs[..., 0], label, labelled)
