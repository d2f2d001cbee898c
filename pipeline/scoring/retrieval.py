"""Embeddings of two modalities -> how well one finds the other's emotion.

What crossmodal training did replicate on real clips: for a query in one modality, do its nearest
neighbours in the other modality have its class? Needs no score and no pairing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

BLOCK = 512
"""Queries whose distances are held in memory at once."""


class Retrieval(NamedTuple):
    """Precision at k, its chance level, the number of queries, and k."""

    precision: float
    chance: float
    queries: int
    neighbours: int


def retrieval(
    queries: NDArray[np.floating],
    candidates: NDArray[np.floating],
    query_classes: ArrayLike,
    candidate_classes: ArrayLike,
    query_groups: ArrayLike | None = None,
    candidate_groups: ArrayLike | None = None,
    neighbours: int = 10,
) -> Retrieval:
    """Return precision at k: mean over queries of the share of its class among its k nearest candidates.

    queries: (Q, E), one modality. candidates: (C, E), the other. Classes: (Q,), (C,). Groups, if given,
    (Q,), (C,): a query does not see candidates of its own group (its own recording, whose class it shares
    for certain). Distance is Euclidean, as in the triplet loss; ties go to the earlier candidate; where
    fewer than k candidates are left, all of them count. Queries without any candidate are left out.

    Chance is what random neighbours give: the mean over the same queries of the share of their class among
    the candidates that they may see. Without queries both are NaN.

    Raises:
        ValueError: lengths or embedding sizes differ, `neighbours` < 1, or only one side has groups.
    """
    classes_q, classes_c = np.asarray(query_classes), np.asarray(candidate_classes)
    if len(queries) != len(classes_q) or len(candidates) != len(classes_c):
        raise ValueError("as many classes as embeddings are needed on both sides")
    if (query_groups is None) != (candidate_groups is None):
        raise ValueError("groups are given for both sides or for none")
    if neighbours < 1:
        raise ValueError(f"neighbours is {neighbours}, expected at least 1")
    if not len(queries) or not len(candidates):
        return Retrieval(float("nan"), float("nan"), 0, neighbours)
    precision, chance = [], []
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        distance = cdist(queries[block].astype(np.float64), candidates.astype(np.float64))  # (block, C)
        same = classes_q[block, None] == classes_c[None, :]
        seen = np.ones_like(same)
        if query_groups is not None and candidate_groups is not None:
            seen = np.asarray(query_groups)[block, None] != np.asarray(candidate_groups)[None, :]
        distance[~seen] = np.inf
        nearest = np.argsort(distance, axis=1, kind="stable")[:, :neighbours]
        hits = np.take_along_axis(same & seen, nearest, 1).sum(1)
        available = seen.sum(1)
        kept = available > 0
        precision.append(hits[kept] / np.minimum(available[kept], neighbours))
        chance.append((same & seen).sum(1)[kept] / available[kept])
    found, random = np.concatenate(precision), np.concatenate(chance)
    if not found.size:
        return Retrieval(float("nan"), float("nan"), 0, neighbours)
    return Retrieval(float(found.mean()), float(random.mean()), len(found), neighbours)
