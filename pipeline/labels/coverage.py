"""Traces against recordings: who has no labels, and whose labels do not cover the recording."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from pipeline.corpora.interface import GOLD
from pipeline.features.medium_times import MAX_GAP, TimeProblem, time_problems


def label_problems(
    traces: pd.DataFrame,
    partitions: Mapping[str, str],
    dimensions: Sequence[str],
    durations: Mapping[str, float | None],
    continuous: bool,
    max_gap: float = MAX_GAP,
    given: bool | None = None,
    no_label: Collection[tuple[str, str]] = (),
) -> list[tuple[str, str]]:
    """Return recording and what is wrong with its labels, in words.

    A test partition without any label is usual (it is kept secret) and no problem.

    traces: columns recording, dimension, rater, time. partitions: recording -> partition. durations:
    recording -> seconds, None where unknown. continuous: labels in time, rather than one per utterance.
    max_gap: seconds without a value that are no hole. given: whether the gold standard of the corpus counts,
    or its raters; None: both. no_label: recording and dimension of which the corpus says that there is none,
    which is no problem either.
    """
    problems = []
    if given is not None:
        traces = traces[(traces["rater"] == GOLD) == given]
    for dimension in dimensions:
        own = {
            str(name): rows
            for name, rows in traces[traces["dimension"] == dimension].groupby("recording", observed=True)
        }
        secret = not any(name in own for name, part in partitions.items() if part == "test")
        for name, partition in sorted(partitions.items()):
            if name not in own:
                if not (partition == "test" and secret) and (name, dimension) not in no_label:
                    problems.append((name, f"no labels of {dimension}"))
            elif continuous:
                found = trace_problems(dimension, own[name], durations.get(name), max_gap)
                problems += [(name, problem.sentence) for problem in found]
    return problems


def trace_problems(
    dimension: str, traces: pd.DataFrame, duration: float | None, max_gap: float
) -> list[TimeProblem]:
    """Compare the traces of one recording and dimension with its medium, each sentence once.

    traces: columns rater, time, rising for each rater. duration, max_gap: seconds.
    """
    raters = list(traces.groupby("rater", observed=True))
    found = []
    for rater, rows in raters:
        what = f"labels of {dimension}" + (f" by {rater}" if len(raters) > 1 else "")
        times = rows["time"].to_numpy()
        found += time_problems(what, times, times, duration, max_gap)
    begin, end = (
        traces.groupby("rater", observed=True)["time"].agg(["min", "max"]).agg({"min": "max", "max": "min"})
    )
    if len(raters) > 1 and begin > end and not any(problem.impossible for problem in found):
        sentence = (
            f"labels of {dimension}: no time has values of all {len(raters)} raters (one begins at "
            f"{begin:.1f} s, one ends at {end:.1f} s)"
        )
        found.append(TimeProblem(sentence, impossible=True))
    return found
