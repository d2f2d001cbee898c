"""Latents of two modalities -> how differently they are distributed: maximum mean discrepancy.

The estimate is the unbiased one of Gretton et al. (JMLR 13, 2012), which may be below 0. It does not see the
order of rows: with the unpaired side taken from the same batch, `pair_loss + unpaired_loss` would be 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch

from pipeline.learning.losses import SMALLEST

Sigma = float | Literal["median"]
"""Width of the Gaussian kernel; `median`: of the distances of all rows of both sides."""


def mmd(one: torch.Tensor, other: torch.Tensor, sigma: Sigma) -> torch.Tensor:
    """Return the unbiased squared MMD with the kernel `exp(-|x - x'|^2 / (2 sigma^2))`.

    0, attached to the graph, where a side has fewer than two rows. No gradient goes through `median`.

    one, other: (rows, latent), of as many rows as each has.
    """
    m, n = len(one), len(other)
    if m < 2 or n < 2:
        return 0 * (one.sum() + other.sum())
    squared = _squared_distances(torch.cat((one, other)))
    width = median_distance(squared) if sigma == "median" else squared.new_tensor(float(sigma))
    kernel = torch.exp(-squared / (2 * width.square()).clamp_min(SMALLEST))
    within = [_off_diagonal(kernel[:m, :m]), _off_diagonal(kernel[m:, m:])]
    return within[0] / (m * (m - 1)) + within[1] / (n * (n - 1)) - 2 * kernel[:m, m:].mean()


def median_distance(squared: torch.Tensor) -> torch.Tensor:
    """Return the median distance of different rows (the lower of two in the middle), without a gradient.

    squared: distances, (rows, rows).
    """
    rows, columns = torch.triu_indices(len(squared), len(squared), 1, device=squared.device)
    return squared.detach()[rows, columns].median().sqrt()


def pair_loss(latents: Sequence[torch.Tensor], present: torch.Tensor, hub: int, sigma: Sigma) -> torch.Tensor:
    """Return the sum of the MMD of the hub's latents and each other modality's, over rows that have both.

    latents: (rows, latent) of each modality. present: (rows, modalities), bool.
    """
    return _over_others(latents, present, latents, present, hub, sigma)


def unpaired_loss(
    latents: Sequence[torch.Tensor],
    present: torch.Tensor,
    others: Sequence[torch.Tensor],
    others_present: torch.Tensor,
    hub: int,
    sigma: Sigma,
) -> torch.Tensor:
    """Return minus the sum of the MMD of the hub's latents and other modalities' of another batch.

    others, others_present: as `latents` and `present`, of recordings that are not in this batch.
    """
    return -_over_others(latents, present, others, others_present, hub, sigma)


def unpaired_by_class(
    latents: Sequence[torch.Tensor], present: torch.Tensor, codes: torch.Tensor, hub: int, sigma: Sigma
) -> torch.Tensor:
    """Return minus the MMD of the hub's latents of a class and other modalities' of the rest of the batch.

    The mean over the classes that, as their rest, have two rows or more; 0 without any.

    codes: class of each row, (rows,).
    """
    found = []
    for code in codes.unique().tolist():  # ascending
        here = codes == code
        if min(int(here.sum()), int((~here).sum())) < 2:
            continue
        own, rest = [z[here] for z in latents], [z[~here] for z in latents]
        found.append(_over_others(own, present[here], rest, present[~here], hub, sigma))
    if not found:
        return 0 * torch.cat(list(latents)).sum()
    return -torch.stack(found).mean()


def _over_others(
    own: Sequence[torch.Tensor],
    own_present: torch.Tensor,
    others: Sequence[torch.Tensor],
    others_present: torch.Tensor,
    hub: int,
    sigma: Sigma,
) -> torch.Tensor:
    """Return the sum over modalities but the hub of the MMD of its latents and theirs."""
    total = own[hub].new_zeros(())
    for place, latents in enumerate(others):
        if place != hub:
            here = own_present[:, hub] & own_present[:, place]
            there = others_present[:, hub] & others_present[:, place]
            total = total + mmd(own[hub][here], latents[there], sigma)
    return total


def _squared_distances(rows: torch.Tensor) -> torch.Tensor:
    """Return (rows, rows); those of a row to itself are about 0."""
    norms = rows.square().sum(1)
    return (norms[:, None] + norms[None] - 2 * rows @ rows.T).clamp_min(0)


def _off_diagonal(kernel: torch.Tensor) -> torch.Tensor:
    return kernel.sum() - kernel.diagonal().sum()
