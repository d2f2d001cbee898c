"""Embeddings of both modalities -> the crossmodal batch-hard triplet loss (eqs. 5 and 6).

The embeddings of a step are stacked into one double-size batch. For each of them, the anchor, the
hardest positive is the farthest embedding with its class, the hardest negative the nearest with
another class, from either modality.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional

from pipeline.learning.sequences import MISSING
from pipeline.learning.systems.emobed.products import product


class Triplet(NamedTuple):
    """Loss and number of anchors left out (no positive or no negative) of each model, (models,)."""

    loss: torch.Tensor
    anchors_left_out: torch.Tensor


class Hardest(NamedTuple):
    """Positions of the hardest positive and negative of each anchor, and which anchors have both."""

    positive: torch.Tensor
    negative: torch.Tensor
    complete: torch.Tensor


def crossmodal_triplet(
    target: torch.Tensor,
    auxiliary: torch.Tensor,
    target_classes: torch.Tensor,
    auxiliary_classes: torch.Tensor,
    form: str = "literal",
    margin: float = 1.0,
    reduction: str = "mean",
) -> Triplet:
    """Return the triplet loss of each model.

    target, auxiliary: embeddings, (models, anchors of the modality, embedding). The classes:
    (models, anchors of the modality), `MISSING` for a frame that takes no part. form: literal (the paper:
    D+ - D-), hinge (max(0, D+ - D- + margin)), softplus (log(1 + exp(D+ - D-))). reduction: mean or
    sum over the anchors that have a positive and a negative; without any, a zero attached to the graph.
    """
    embeddings = torch.cat((target, auxiliary), dim=1)  # (models, anchors, embedding)
    classes = torch.cat((target_classes, auxiliary_classes), dim=1)
    hardest = hardest_pairs(embeddings.detach(), classes)
    difference = distances_to(embeddings, hardest.positive) - distances_to(embeddings, hardest.negative)
    loss = reduced(difference, hardest.complete, form, margin, reduction)
    return Triplet(loss, ((classes != MISSING) & ~hardest.complete).sum(1))


def reduced(
    difference: torch.Tensor, complete: torch.Tensor, form: str, margin: float | torch.Tensor, reduction: str
) -> torch.Tensor:
    """Return the loss of each model, (models,), from D+ - D- of its anchors.

    difference, complete: (models, anchors). margin: of all anchors, or (models, anchors). form, reduction: as
    of `crossmodal_triplet`.
    """
    if form == "hinge":
        difference = torch.relu(difference + margin)
    elif form == "softplus":
        difference = torch.nn.functional.softplus(difference)
    loss = (difference * complete).sum(1)
    return loss / complete.sum(1).clamp_min(1) if reduction == "mean" else loss


@torch.no_grad()
def hardest_pairs(embeddings: torch.Tensor, classes: torch.Tensor) -> Hardest:
    """Find the hardest positive and negative of each anchor, all of shape (models, anchors).

    embeddings: (models, anchors, embedding). classes: (models, anchors).
    """
    # squared distances order as distances do; the root, with its gradient, is taken of the chosen pairs
    squared = squared_distances(embeddings)
    present = classes != MISSING
    same = classes.unsqueeze(1) == classes.unsqueeze(2)
    # a missing class is nobody's negative and, with `complete`, no anchor: only columns need masking
    negatives = squared.masked_fill(same | ~present.unsqueeze(1), torch.inf)
    same.diagonal(dim1=1, dim2=2).fill_(False)
    positives = squared.masked_fill_(~same, -torch.inf)
    far, positive = positives.max(2)
    near, negative = negatives.min(2)
    return Hardest(positive, negative, present & torch.isfinite(far) & torch.isfinite(near))


def squared_distances(embeddings: torch.Tensor) -> torch.Tensor:
    """Return the squared distance of each two embeddings, (models, anchors, anchors)."""
    norms = embeddings.square().sum(2)
    squared = product(embeddings, embeddings.transpose(1, 2)).mul_(-2)
    return squared.add_(norms.unsqueeze(1)).add_(norms.unsqueeze(2)).clamp_min_(0)


def distances_to(embeddings: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Return the distance of each embedding to the one at `other`, (models, anchors).

    The constant keeps the root's gradient finite where both are equal (method.md, section 7).
    """
    others = embeddings.gather(1, other.unsqueeze(-1).expand(embeddings.shape))
    return ((embeddings - others).square().sum(2) + 1e-12).sqrt()
