"""Embeddings of both modalities -> their picture by t-SNE, and retrieval across modalities (figs. 3, 4).

The reference has no model of both modalities: its encoders come from two trainings. With the same seed
these start from the same shared network and so end in alike spaces, which no crossmodal training made. Hence
encoders that were trained apart are only ever paired across different seeds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations, permutations, product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.catalogue.systems import SYSTEMS
from pipeline.params import Evaluation
from pipeline.reporting.drawing import CLASS_COLOURS, MARKERS, NotDrawnError, new_figure
from pipeline.scoring.retrieval import interval_over_groups, retrieval
from pipeline.scoring.told_apart import told_apart

TRAINED_APART = tuple(entry.name for entry in SYSTEMS.values() if entry.encoders == "apart")
"""Systems whose two encoders come from two trainings."""
FILLINGS = ("full", "none", "left", "bottom")
"""Of the points of each modality, in alphabetical order."""
LAYERS = 5
"""In which points are drawn."""
NEIGHBOURS = 10
ITERATIONS = 500
"""Half of scikit-learn's default: the picture of a few hundred points has settled by then."""


class CrossRetrieval(NamedTuple):
    """Precision at 10 of one system in one direction.

    mean, std: over `pairs` of seeds (query's, candidates'), each once: a seed with itself where both encoders
    are of one model, all ordered pairs of different seeds where they were trained apart. low, high: interval
    of the mean, over the `speakers` of the queries and the seeds of their encoder. told_apart: how well a
    linear classifier tells which modality an embedding is of, for speakers never seen, mean over pairs
    (`pipeline.scoring.told_apart`).
    """

    system: str
    query: str
    candidates: str
    mean: float
    std: float
    low: float
    high: float
    chance: float
    queries: int
    speakers: int
    pairs: int
    told_apart: float


def seed_pairs(system: str, seeds: Sequence[int]) -> list[tuple[int, int]]:
    """Return which seeds' encoders are looked at together; none for one seed of encoders trained apart."""
    return list(permutations(seeds, 2)) if system in TRAINED_APART else [(seed, seed) for seed in seeds]


def cross_retrieval(embeddings: pd.DataFrame, params: Evaluation) -> list[CrossRetrieval]:
    """Return retrieval in both directions for each system; embeddings: see `ReportInputs`.

    A query looks for its class among the other modality's embeddings of OTHER speakers. Encoders that were
    trained apart need two seeds; with one, their system is left out. Nothing is returned where no query has
    more candidates than are looked at: it would find all of them, whatever the embedding.
    """
    found: list[CrossRetrieval] = []
    if most_candidates(embeddings) <= NEIGHBOURS:
        return found
    for system in embeddings["system"].drop_duplicates():
        here = embeddings[embeddings["system"] == system]
        parts = dict(list(here.groupby(["modality", "seed"], sort=True)))
        pairs = seed_pairs(str(system), sorted(here["seed"].unique()))
        apart = _told_apart(parts, modalities(here), pairs) if pairs else {}
        for query, candidates in permutations(modalities(here), 2) if pairs else ():
            scores = []
            for one, other in ((parts[query, a], parts[candidates, b]) for a, b in pairs):
                scores.append(
                    retrieval(
                        vectors(one), vectors(other), one["class"], other["class"],
                        one["speaker"], other["speaker"], NEIGHBOURS,
                    )
                )  # fmt: skip
            precision = np.array([score.precision for score in scores])
            std = float(precision.std(ddof=1)) if len(precision) > 1 else float("nan")
            # every seed embeds the same frames in the same order
            of_query, speakers = np.mean([score.of_query for score in scores], axis=0), one["speaker"]
            # one value per seed of the query's encoder: pairs that share it are no independent runs
            by_seed: dict[int, list[NDArray[np.float64]]] = {}
            for score, (own, _) in zip(scores, pairs, strict=True):
                by_seed.setdefault(own, []).append(score.of_query)
            of_seeds = [np.mean(values, axis=0) for values in by_seed.values()]
            ends = interval_over_groups(np.stack(of_seeds), speakers, params.confidence)
            chance, queries = float(np.mean([score.chance for score in scores])), scores[0].queries
            known = int(speakers[~np.isnan(of_query)].nunique())
            found.append(
                CrossRetrieval(
                    str(system), query, candidates, float(precision.mean()), std, *ends, chance, queries,
                    known, len(pairs), apart[frozenset((query, candidates))],
                )
            )  # fmt: skip
    return found


def _told_apart(
    parts: Mapping[tuple[str, int], pd.DataFrame], names: Sequence[str], pairs: Sequence[tuple[int, int]]
) -> dict[frozenset[str], float]:
    """Return how well any two modalities are told apart; parts: embeddings by modality and seed."""
    found = {}
    for one, other in combinations(names, 2):
        scores = []
        for a, b in pairs:
            first, second = parts[one, a], parts[other, b]
            scores.append(told_apart(vectors(first), vectors(second), first["speaker"], second["speaker"]))
        found[frozenset((one, other))] = float(np.mean(scores))
    return found


def most_candidates(embeddings: pd.DataFrame) -> int:
    """Return how many embeddings of other speakers and the other modality a query has at most."""
    one = embeddings.groupby(["system", "seed", "modality"], sort=False)["speaker"]
    return max((len(own) - int(own.value_counts().min()) for _, own in one), default=0)


def modalities(embeddings: pd.DataFrame) -> list[str]:
    """Return the two modalities of an experiment, sorted."""
    return sorted(str(name) for name in embeddings["modality"].unique())


def vectors(rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the embedding columns `e_0 ... e_E-1`, (rows, E)."""
    names = sorted(
        (name for name in rows.columns if str(name).startswith("e_")), key=lambda name: int(name[2:])
    )
    return rows[names].to_numpy(np.float64)


def project(rows: pd.DataFrame, points: int, seed: int) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Return at most `points` rows of one system, drawn at random, and their t-SNE, (points, 2).

    Of the first seed; where encoders were trained apart, the second modality is of the second seed.

    One thread: Barnes-Hut sums in the order in which threads finish, and the figure would change from run
    to run. Both modalities are projected together.

    Raises:
        NotDrawnError: fewer than five rows, or encoders that were trained apart, with one seed.
    """
    pairs = seed_pairs(str(rows["system"].iloc[0]), sorted(rows["seed"].unique()))
    if not pairs:
        raise NotDrawnError(
            "its encoders were trained apart, and two of the same seed are alike without any crossmodal "
            "training: that takes two seeds, and there is one"
        )
    seed_of = dict(zip(modalities(rows), pairs[0], strict=False))
    rows = rows[rows["seed"] == rows["modality"].map(seed_of)]
    if len(rows) < 5:
        raise NotDrawnError(f"there are {len(rows)} embeddings, and t-SNE needs 5 or more")
    if len(rows) > points:
        kept = np.random.default_rng(seed).choice(len(rows), points, replace=False)
        rows = rows.iloc[np.sort(kept)]
    if np.ptp(vectors(rows), axis=0).max() == 0:
        raise NotDrawnError(f"its {len(rows)} embeddings are all the same")
    perplexity = min(30.0, (len(rows) - 1) / 3)
    with threadpool_limits(limits=1):
        method = TSNE(perplexity=perplexity, init="pca", max_iter=ITERATIONS, random_state=seed, n_jobs=1)
        places = method.fit_transform(vectors(rows))
    return rows, np.asarray(places, np.float64)


def space_figure(rows: pd.DataFrame, places: NDArray[np.float64], names: Sequence[str], title: str) -> Figure:
    """Draw the projected embeddings: colour and shape are the class, filling the modality."""
    figure = new_figure(4.7)
    axes = figure.subplots()
    codes = rows["class"].to_numpy(int)
    modality = rows["modality"].to_numpy(str)
    fillings = dict(zip(modalities(rows), FILLINGS, strict=False))
    # Drawn in a mixed order, a part of each class at a time, so that no class lies on top of all others.
    for part in np.array_split(np.random.default_rng(0).permutation(len(rows)), LAYERS):
        for code, (name, filling) in product(sorted(set(codes[part])), fillings.items()):
            here = part[(codes[part] == code) & (modality[part] == name)]
            axes.plot(places[here, 0], places[here, 1], **_point(code, filling))
    classes = [Line2D([], [], label=names[code], **_point(code, "full")) for code in sorted(set(codes))]
    of_modality = [
        Line2D([], [], label=name, **(_point(0, filling) | {"color": "#444444", "mec": "#444444"}))
        for name, filling in fillings.items()
        if (modality == name).any()
    ]
    handles = classes + of_modality
    figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), columnspacing=0.8,
                  handletextpad=0.1)  # fmt: skip
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    return figure


def _point(code: int, filling: str) -> dict[str, Any]:
    """Return how a point of a class and modality looks."""
    colour = CLASS_COLOURS[code % len(CLASS_COLOURS)]
    return {
        "ls": "", "marker": MARKERS[code % len(MARKERS)], "color": colour, "mec": colour, "mew": 0.8,
        "ms": 4.5, "alpha": 0.8, "fillstyle": filling, "markerfacecoloralt": "none",
    }  # fmt: skip
