"""Registered traces -> the gold standard of each recording, on the label grid.

What params.yaml asks for is what is used: the corpus' own gold standard (`given`) or the raters
(`raters`), never the other one because the first is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.interface import GOLD
from pipeline.features.grid import seconds_to_frames
from pipeline.labels.coverage import trace_problems
from pipeline.labels.gold_standard import fuse
from pipeline.labels.resampling import resample
from pipeline.params import Corpus
from pipeline.paths import Paths

Array = NDArray[np.float64]
NO_LENGTHS: Mapping[str, int] = MappingProxyType({})
NONE_WRONG: Mapping[str, str] = MappingProxyType({})


@dataclass
class GoldStandards:
    """Gold standards on the label grid.

    values: dimension -> recording -> (frames,), NaN where the traces have a hole. weights: dimension ->
    recording -> rater -> weight, without dimensions whose gold standard was given. problems: dimension ->
    recording -> what is wrong with the times of its traces, in words.
    """

    values: dict[str, dict[str, Array]] = field(default_factory=dict)
    weights: dict[str, dict[str, dict[str, float]]] = field(default_factory=dict)
    problems: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def without(self, hidden: Set[str]) -> GoldStandards:
        """Return everything of the recordings that are not hidden."""
        parts = (self.values, self.weights, self.problems)
        return GoldStandards(
            *(
                {
                    dimension: {name: value for name, value in own.items() if name not in hidden}
                    for dimension, own in part.items()
                }
                for part in parts
            )  # type: ignore[arg-type]  # each of its own type
        )


def gold_standards(
    corpus: Corpus,
    paths: Paths,
    traces: pd.DataFrame,
    hop: float,
    frames: Mapping[str, int] = NO_LENGTHS,
    wrong: Mapping[str, str] = NONE_WRONG,
) -> GoldStandards:
    """Return the gold standard of each dimension and recording.

    Recordings without the annotations asked for are left out, and so are those whose traces have times that
    cannot be those of the recording, or no time that all of their raters rated. No gold standard is longer
    than its recording and the delay.

    Args:
        corpus: its parameters.
        paths: named in errors.
        traces: as registered.
        hop: distance of label times, seconds.
        frames: label times of each recording, where known.
        wrong: recordings that get no gold standard, since their feature tables disagree, and how.

    Raises:
        ValueError: no recording has the kind of annotation asked for.
    """
    given = corpus.labels.gold_standard == "given"
    gold = GoldStandards()
    delay = corpus.labels.annotation_delay
    longest = seconds_to_frames(corpus.labels.max_delay if delay == "estimate" else delay, hop)
    for dimension in corpus.dimensions:
        chosen = traces[traces["dimension"] == dimension]
        require(paths, dimension, chosen, given)
        chosen = chosen[(chosen["rater"] == GOLD) == given]
        values: dict[str, Array] = {}
        problems: dict[str, list[str]] = {}
        weights: dict[str, dict[str, float]] = {}
        for recording, rows in chosen.groupby("recording", observed=True):
            if str(recording) in wrong:
                problems[str(recording)] = [wrong[str(recording)]]
                continue
            length = frames.get(str(recording))
            duration = None if length is None else (length - 1) * hop
            found = trace_problems(dimension, rows, duration, corpus.labels.max_gap)
            if found:
                problems[str(recording)] = [problem.sentence for problem in found]
            if any(problem.impossible for problem in found):
                continue
            try:
                most = None if length is None else length + longest
                value, shares = _fuse(rows, hop, corpus.labels.max_gap, most)
            except ValueError as error:  # of this recording: the others have theirs
                problems.setdefault(str(recording), []).append(f"labels of {dimension}: {error}")
                continue
            values[str(recording)] = value
            weights[str(recording)] = shares
        gold.values[dimension] = values
        gold.problems[dimension] = problems
        if not given:
            gold.weights[dimension] = weights
    return gold


def _fuse(
    traces: pd.DataFrame, hop: float, max_gap: float, most: int | None
) -> tuple[Array, dict[str, float]]:
    """Return the gold standard of one recording on the label grid, and the weights of its raters.

    Where one of the raters has no value there is none: a mean over the others would jump.
    """
    raters = {str(rater): trace for rater, trace in traces.groupby("rater", observed=True)}
    times = [trace["time"].to_numpy() for trace in raters.values()]
    ratings = [trace["value"].to_numpy() for trace in raters.values()]
    if all(np.array_equal(time, times[0]) for time in times):
        fused, shares = fuse(np.stack(ratings))
        value = resample(times[0], fused, hop, max_gap, most)
    else:
        # Raters with clocks of their own meet on the label grid, as far as all of them reach.
        on_grid = [
            resample(time, rating, hop, max_gap, most) for time, rating in zip(times, ratings, strict=True)
        ]
        shortest = min(len(rating) for rating in on_grid)
        stacked = np.stack([rating[:shortest] for rating in on_grid])  # (raters, frames)
        rated = np.isfinite(stacked).all(axis=0)
        if not rated.any():
            raise ValueError(f"no time has values of all {len(raters)} raters, expected some")
        value = np.full(shortest, np.nan)
        value[rated], shares = fuse(stacked[:, rated])
    return value, {rater: round(float(share), 6) for rater, share in zip(raters, shares, strict=True)}


def require(paths: Paths, dimension: str, traces: pd.DataFrame, given: bool) -> None:
    """Refuse a corpus without the kind of annotation asked for.

    Args:
        paths: named in the error.
        dimension: of the traces.
        traces: of one dimension.
        given: True if the corpus' own gold standard is asked for, False for raters.

    Raises:
        ValueError: no trace at all, or only of the other kind; says what to set.
    """
    raters = set(traces["rater"].astype(str))
    path = f"corpora.{paths.corpus}.labels.gold_standard"
    if not raters:
        raise ValueError(
            f"corpora.{paths.corpus}.dimensions: found {dimension}, but no recording is annotated with it; "
            f"see {paths.traces / 'problems.csv'}"
        )
    if given and GOLD not in raters:
        raise ValueError(
            f"{path}: found given, but the corpus has no gold standard of {dimension}, "
            f"only {len(raters)} raters; set it to raters"
        )
    if not given and raters == {GOLD}:
        raise ValueError(
            f"{path}: found raters, but the corpus has no raters of {dimension}, "
            "only its gold standard; set it to given"
        )
