"""Embeddings and what raters saw -> the crossmodal triplet loss of graded pairs (docs/methods.md).

Where raters disagree no class is true: a pair is a positive as far as the distributions of its raters
overlap, and a negative as far as they do not. With raters who agree it is the loss of `triplet`.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

from pipeline.learning.sequences import MISSING
from pipeline.learning.systems.emobed.triplet import (
    Hardest,
    Triplet,
    distances_to,
    reduced,
    squared_distances,
)

NOTHING = 1e-6
"""Weights below it are rounding: shares of single precision add up to 1 within less."""


class Pairs(NamedTuple):
    """Of each pair of distributions: overlap, what is not, and distance, (distributions, distributions)."""

    overlap: torch.Tensor
    apart: torch.Tensor
    distance: torch.Tensor


def graded_pairs(shares: torch.Tensor, ordered: bool) -> Pairs:
    """Compare distributions with each other.

    Overlap: `sum_c min(q_c, p_c)`, from 0 to 1, and 1 minus the total variation. Distance: what has to be
    moved, times how many classes far (earth mover's), where classes lie in order; else the total variation.

    shares: (distributions, classes).
    """
    one, other = shares.unsqueeze(1), shares.unsqueeze(0)
    apart = 1 - torch.minimum(one, other).sum(2)
    apart = apart.masked_fill(apart < NOTHING, 0.0)
    # differences of what lies up to each class
    distance = (one - other).cumsum(2).abs().sum(2) if ordered else apart
    return Pairs(1 - apart, apart, distance)


def graded_triplet(
    target: torch.Tensor,
    auxiliary: torch.Tensor,
    target_codes: torch.Tensor,
    auxiliary_codes: torch.Tensor,
    pairs: Pairs,
    form: str = "literal",
    margin: float = 1.0,
    reduction: str = "mean",
) -> Triplet:
    """Return the graded triplet loss of each model.

    With o the overlap and u = 1 - o of an anchor's pairs, D distances of embeddings: the positive has the
    largest o D, the negative the smallest D / u, and the difference is o D of the one minus u D of the other.
    The margin of `hinge` is times the distance of the distributions of anchor and negative. form, reduction:
    as of `crossmodal_triplet`.

    target, auxiliary: embeddings, (models, anchors of the modality, embedding). The codes: of distributions,
    (models, anchors of the modality), `MISSING` for a frame that takes no part.
    """
    embeddings = torch.cat((target, auxiliary), dim=1)  # (models, anchors, embedding)
    codes = torch.cat((target_codes, auxiliary_codes), dim=1)
    hardest = hardest_graded(embeddings.detach(), codes, pairs)
    known = codes.clamp_min(0)

    def of(table: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        return table[known, known.gather(1, other)]  # (models, anchors)

    difference = of(pairs.overlap, hardest.positive) * distances_to(embeddings, hardest.positive)
    difference = difference - of(pairs.apart, hardest.negative) * distances_to(embeddings, hardest.negative)
    margins = margin * of(pairs.distance, hardest.negative)
    loss = reduced(difference, hardest.complete, form, margins, reduction)
    return Triplet(loss, ((codes != MISSING) & ~hardest.complete).sum(1))


@torch.no_grad()
def hardest_graded(embeddings: torch.Tensor, codes: torch.Tensor, pairs: Pairs) -> Hardest:
    """Find the hardest positive and negative of each anchor, all of shape (models, anchors).

    embeddings: (models, anchors, embedding). codes: (models, anchors).
    """
    squared = squared_distances(embeddings)
    present = codes != MISSING
    known = codes.clamp_min(0)
    rows, columns = known.unsqueeze(2), known.unsqueeze(1)
    # squares order as what they are squares of
    apart = pairs.apart[rows, columns].masked_fill_(~present.unsqueeze(1), 0)
    negatives = (squared / apart.square()).masked_fill_(apart == 0, torch.inf)
    overlap = pairs.overlap[rows, columns].masked_fill_(~present.unsqueeze(1), 0)
    overlap.diagonal(dim1=1, dim2=2).zero_()
    positives = squared.mul_(overlap.square()).masked_fill_(overlap < NOTHING, -torch.inf)
    far, positive = positives.max(2)
    near, negative = negatives.min(2)
    return Hardest(positive, negative, present & torch.isfinite(far) & torch.isfinite(near))
