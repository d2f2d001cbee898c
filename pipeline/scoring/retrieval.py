"""Embeddings of two modalities -> how well one finds the other's emotion.

What crossmodal training did replicate on real clips: for a query in one modality, do its nearest
neighbours in the other modality have its class? Needs no score and no pairing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from pipeline.scoring.intervals import jackknife, score_interval

BLOCK = 512
"""Queries whose distances are held in memory at once."""


class Retrieval(NamedTuple):
    """Precision at k, its chance level, the number of queries, k, and the precision of each query.

    of_query: (Q,), NaN for a query without any candidate.
    """

    precision: float
    chance: float
    queries: int
    neighbours: int
    of_query: NDArray[np.float64]


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
        return Retrieval(float("nan"), float("nan"), 0, neighbours, np.full(len(queries), np.nan))
    precision, chance = np.full((2, len(queries)), np.nan)
    group_q = group_c = None
    if query_groups is not None and candidate_groups is not None:
        # numbers are compared a hundred times as fast as names
        both = np.concatenate([np.asarray(query_groups), np.asarray(candidate_groups)])
        group_q, group_c = np.split(pd.factorize(both)[0], [len(queries)])
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        distance = cdist(queries[block].astype(np.float64), candidates.astype(np.float64))  # (block, C)
        same = classes_q[block, None] == classes_c[None, :]
        seen = np.ones_like(same)
        if group_q is not None and group_c is not None:
            seen = group_q[block, None] != group_c[None, :]
        distance[~seen] = np.inf
        hits = (_nearest(distance, neighbours) & same & seen).sum(1)
        available = seen.sum(1)
        known = np.where(available > 0, available, np.nan)
        precision[block] = hits / np.minimum(known, neighbours)
        chance[block] = (same & seen).sum(1) / known
    kept = ~np.isnan(precision)
    if not kept.any():
        return Retrieval(float("nan"), float("nan"), 0, neighbours, precision)
    means = float(precision[kept].mean()), float(chance[kept].mean())
    return Retrieval(*means, int(kept.sum()), neighbours, precision)


def _nearest(distance: NDArray[np.float64], count: int) -> NDArray[np.bool_]:
    """Mark the `count` smallest of each row, the earlier ones among equals, (rows, columns)."""
    if count >= distance.shape[1]:
        return np.ones(distance.shape, bool)
    # a partition takes a tenth of a sort
    last = np.partition(distance, count - 1, axis=1)[:, count - 1, None]
    found = np.asarray(distance <= last)
    for row in np.flatnonzero(np.count_nonzero(found, axis=1) > count):  # more equals than have room
        equal = np.flatnonzero(distance[row] == last[row])
        found[row, equal[count - np.count_nonzero(found[row]) :]] = False
    return found


def interval_over_groups(
    of_query: NDArray[np.floating], groups: ArrayLike, confidence: float
) -> tuple[float, float]:
    """Return the interval of a mean over queries and seeds, as of all other scores.

    From the jackknife over whole groups (speakers) of queries and the standard error over seeds
    (`pipeline.scoring.intervals`). of_query: (seeds, Q), NaN for queries left out. groups: (Q,). NaN with
    fewer than two groups.
    """
    kept = ~np.isnan(of_query).any(0)
    names, place = np.unique(np.asarray(groups)[kept], return_inverse=True)
    statistics = np.zeros((len(of_query), len(names), 2))  # sums and numbers of queries
    for own, values in zip(statistics, of_query[:, kept], strict=True):
        own[:, 0], own[:, 1] = np.bincount(place, values), np.bincount(place)
    if len(names) < 2:
        return float("nan"), float("nan")
    scores = jackknife(statistics, lambda sums: sums[..., 0] / sums[..., 1])
    found = score_interval(scores, confidence, "share")
    return found.low, found.high
