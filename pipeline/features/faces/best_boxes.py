"""Boxes that overlap -> the best of them: non-maximum suppression."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""Boxes compared with all others at once."""

Array = NDArray[np.float32]
Overlap = Callable[[Array, Array], Array]


def best_boxes(boxes: Array, score: Array, most: float, overlap: Overlap) -> NDArray[np.int64]:
    """Return which boxes overlap no better one by more than `most`, best first, (kept,).

    boxes: (boxes, 4). score: (boxes,); of equal ones the first is better. overlap: `overlap_of_union` or
    `overlap_of_smaller`.
    """
    order = np.argsort(-score, kind="stable")
    boxes = boxes[order]
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
    return order[np.array(kept, np.int64)]
