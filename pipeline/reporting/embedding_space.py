"""Embeddings of both modalities -> their picture by t-SNE, and retrieval across modalities (figs. 3, 4)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pipeline.reporting.drawing import CLASS_COLOURS, new_figure
from pipeline.scoring.retrieval import retrieval

MARKERS = ("o", "^")
"""Of the two modalities, in alphabetical order."""
NEIGHBOURS = 10
ITERATIONS = 500
"""Half of scikit-learn's default: the picture of a few hundred points has settled by then."""


class CrossRetrieval(NamedTuple):
    """Precision at 10 of one system in one direction: mean and standard deviation over seeds."""

    system: str
    query: str
    candidates: str
    mean: float
    std: float
    chance: float
    queries: int
    seeds: int


def cross_retrieval(embeddings: pd.DataFrame) -> list[CrossRetrieval]:
    """Return retrieval in both directions for each system; embeddings: see `ReportInputs`.

    A query looks for its class among the other modality's embeddings of OTHER speakers.
    """
    found = []
    for system in embeddings["system"].drop_duplicates():
        for query, candidates in permutations(modalities(embeddings), 2):
            scores = []
            for _, rows in embeddings[embeddings["system"] == system].groupby("seed", sort=True):
                one, other = rows[rows["modality"] == query], rows[rows["modality"] == candidates]
                scores.append(
                    retrieval(
                        vectors(one), vectors(other), one["class"], other["class"],
                        one["speaker"], other["speaker"], NEIGHBOURS,
                    )
                )  # fmt: skip
            precision = np.array([score.precision for score in scores])
            std = float(precision.std(ddof=1)) if len(precision) > 1 else float("nan")
            chance, queries = float(np.mean([score.chance for score in scores])), scores[0].queries
            mean = float(precision.mean())
            found.append(CrossRetrieval(system, query, candidates, mean, std, chance, queries, len(scores)))
    return found


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
    """Return at most `points` rows of the first seed, drawn at random, and their t-SNE, (points, 2).

    One thread: Barnes-Hut sums in the order in which threads finish, and the figure would change from run
    to run. Both modalities are projected together. Fewer than five rows cannot be projected.

    Raises:
        ValueError: fewer than five rows.
    """
    rows = rows[rows["seed"] == rows["seed"].min()]
    if len(rows) < 5:
        raise ValueError(f"{len(rows)} embeddings, expected at least 5")
    if len(rows) > points:
        kept = np.random.default_rng(seed).choice(len(rows), points, replace=False)
        rows = rows.iloc[np.sort(kept)]
    perplexity = min(30.0, (len(rows) - 1) / 3)
    with threadpool_limits(limits=1):
        method = TSNE(perplexity=perplexity, init="pca", max_iter=ITERATIONS, random_state=seed, n_jobs=1)
        places = method.fit_transform(vectors(rows))
    return rows, np.asarray(places, np.float64)


def space_figure(rows: pd.DataFrame, places: NDArray[np.float64], names: Sequence[str], title: str) -> Figure:
    """Draw the projected embeddings: colour is the class, marker the modality."""
    figure = new_figure(4.5)
    axes = figure.subplots()
    codes = rows["class"].to_numpy(int)
    modality = rows["modality"].to_numpy(str)
    markers = dict(zip(modalities(rows), MARKERS, strict=False))
    # Drawn in a mixed order, so that no class lies on top of all others.
    order = np.random.default_rng(0).permutation(len(rows))
    for name, marker in markers.items():
        here = order[modality[order] == name]
        colours = [CLASS_COLOURS[code % len(CLASS_COLOURS)] for code in codes[here]]
        axes.scatter(
            places[here, 0], places[here, 1], c=colours, marker=marker, s=18, alpha=0.75, linewidths=0.3,
            edgecolors="white",
        )  # fmt: skip
    handles = [
        Line2D([], [], ls="", marker="s", color=CLASS_COLOURS[code % len(CLASS_COLOURS)], label=names[code])
        for code in sorted(set(codes))
    ]
    handles += [
        Line2D([], [], ls="", marker=marker, color="#444444", label=name)
        for name, marker in markers.items()
        if (modality == name).any()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(5, len(handles)), columnspacing=0.8,
                  handletextpad=0.1)  # fmt: skip
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(True)
    return figure
