"""Traces against recordings: who has no labels, and whose labels end before the recording does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

SHORTER = 1.0
"""Seconds by which the traces may end before the recording."""


def label_problems(
    traces: pd.DataFrame,
    partitions: Mapping[str, str],
    dimensions: Sequence[str],
    durations: Mapping[str, float | None],
    continuous: bool,
) -> list[tuple[str, str]]:
    """Return recording and what is wrong with its labels, in words.

    A test partition without any label is usual (it is kept secret) and no problem.

    traces: columns recording, dimension, time. partitions: recording -> partition. durations:
    recording -> seconds, None where unknown. continuous: labels in time, rather than one per utterance.
    """
    problems = []
    ends = traces.groupby(["dimension", "recording"])["time"].max()
    for dimension in dimensions:
        own = ends[dimension] if dimension in ends.index.get_level_values(0) else pd.Series(dtype=float)
        secret = not any(name in own.index for name, part in partitions.items() if part == "test")
        for name, partition in sorted(partitions.items()):
            if name not in own.index:
                if not (partition == "test" and secret):
                    problems.append((name, f"no labels of {dimension}"))
                continue
            duration = durations.get(name)
            if continuous and duration is not None and own[name] < duration - SHORTER:
                problems.append((name, f"labels of {dimension} end at {own[name]:.1f} s of {duration:.1f} s"))
    return problems
