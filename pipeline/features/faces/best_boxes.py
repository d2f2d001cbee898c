"""Boxes that overlap -> the best of them: non-maximum suppression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLOCK = 64
"""Boxes compared with all others at once."""

Overlap = Callable[[NDArray[np.float32], NDArray[np.float32]], NDArray[np.float32]]


def best_of_each(boxes: Tensor, score: Tensor, image: Tensor, most: float, overlap: Overlap) -> Tensor:
    """Return which boxes overlap no better one of their picture by more than `most`, best first, (kept,).

    boxes: (boxes, 4). score, image: (boxes,). overlap: `overlap_of_union` or `overlap_of_smaller`.
    """
    if not len(boxes):
        return torch.empty(0, dtype=torch.int64, device=boxes.device)
    # Pictures are moved apart as torchvision's batched_nms moves them, for the same rounding.
    apart = boxes + (image.to(boxes) * (boxes.max() + 1))[:, None]
    order = np.argsort(-score.cpu().numpy(), kind="stable")
    sorted_boxes, sorted_image = apart.cpu().numpy()[order], image.cpu().numpy()[order]
    kept = np.zeros(len(order), np.bool_)
    for one in np.unique(sorted_image):
        own = np.flatnonzero(sorted_image == one)
        kept[own[_best(sorted_boxes[own], most, overlap)]] = True
    return torch.from_numpy(order[kept]).to(boxes.device)


def _best(boxes: NDArray[np.float32], most: float, overlap: Overlap) -> list[int]:
    """Return which of the boxes, sorted by score, are kept."""
    kept: list[int] = []
    left = np.arange(len(boxes))
    while len(left):
        block = left[:BLOCK]
        # float64: a threshold such as 0.7 must not be rounded down to an overlap of 0.7
        near = overlap(boxes[block], boxes[left]) > np.float64(most)
        out = np.zeros(len(left), np.bool_)
        for i, box in enumerate(block):
            if not out[i]:
                kept.append(int(box))
                out |= near[i]
        left = left[BLOCK:][~out[BLOCK:]]
    return kept
