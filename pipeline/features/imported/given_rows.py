"""Rows as a feature file has them -> rows on the grid of the corpus.

Without statistics row k is the file's row nearest to the label time k * hop, or with `alignment: end` the
last one that has ended by then; with statistics, it pools the file's rows in the window of that label time. A
row's time is the middle of its start and end.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.features.grid import label_times, windows
from pipeline.features.media.opening import MediaError
from pipeline.features.medium_times import require_possible
from pipeline.features.pooling.window_moments import finite_moments, members
from pipeline.params import Grid
from pipeline.store.rows import Rows

RESERVED = frozenset({"recording", "start", "end", "valid"})
"""Columns that every feature table has: no feature can be called so."""
ROUNDING = 1e-6
"""Seconds by which times written as decimal fractions may be off."""


def finite_rows(
    where: str,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    values: NDArray[np.float32],
    names: tuple[str, ...],
) -> Rows:
    """Return the rows of one recording as its file has them; `valid`: a feature is a finite number.

    where: file and recording, for errors.

    Raises:
        MediaError: a time is missing, lies after its end or not after the row before.
    """
    wrong = np.flatnonzero(~np.isfinite(start) | ~np.isfinite(end) | (end < start))
    if len(wrong):
        k = int(wrong[0])
        raise MediaError(
            f"{where}: row {k + 1} has the times {start[k]:g} to {end[k]:g} s, expected finite ones"
        )
    middle = (start + end) / 2
    falls = np.flatnonzero(np.diff(middle) <= 0)
    if len(falls):
        k = int(falls[0]) + 1
        raise MediaError(
            f"{where}: row {k + 1} lies at {middle[k]:g} s, the row before at {middle[k - 1]:g} s; expected "
            "rising times"
        )
    return Rows(start, end, values, np.asarray(np.isfinite(values).any(axis=1)), names)


def on_grid(
    rows: Rows, statistics: Sequence[str], grid: Grid, where: str, duration: float | None = None
) -> Rows:
    """Put the rows of one recording on the grid; `where`, file and recording, is for errors.

    duration: of the medium, seconds, where it is at hand: rows that reach far beyond it are not taken for
    seconds. The recording is as long as its last row reaches. Features of pooled rows are named
    `<feature>_<statistic>`. A value that is not finite stays so, and takes no part in pooling.

    `valid`: without statistics, the nearest row lies within half a hop, or half of the file's own step
    if that is longer (beyond, its values are held), and one of its values is finite; the last row that has
    ended, within a whole one; with statistics, the
    window holds such a row (a window without any takes the row before it).

    Raises:
        MediaError: shorter than a window, times that cannot be seconds of the recording, or without
            statistics several rows of an utterance.
    """
    if grid.hop is not None:
        require_possible(f"{where}: its rows", rows.start, rows.end, duration)
    if statistics:
        return _pooled(rows, statistics, grid, where)
    if grid.hop is not None:
        return _ended(rows, grid.hop) if grid.alignment == "end" else _nearest(rows, grid.hop)
    if len(rows) != 1:
        raise MediaError(
            f"{where}: found {len(rows)} rows, expected one per utterance; `statistics: [mean]` pools them"
        )
    return rows


def _nearest(rows: Rows, hop: float) -> Rows:
    times = label_times(float(rows.end.max()), hop)
    middle = (rows.start + rows.end) / 2
    after = np.clip(np.searchsorted(middle, times), 0, len(middle) - 1)
    before = np.maximum(after - 1, 0)
    # of two rows equally near the earlier one, whatever rounding says
    later = np.abs(middle[after] - times) < np.abs(middle[before] - times) - ROUNDING
    nearest = np.where(later, after, before)
    step = float(np.median(np.diff(middle))) if len(middle) > 1 else hop
    near = np.abs(middle[nearest] - times) <= max(hop, step) / 2 + ROUNDING
    return Rows(
        rows.start[nearest],
        rows.end[nearest],
        rows.values[nearest],
        np.asarray(near & rows.valid[nearest]),
        rows.names,
    )


def _ended(rows: Rows, hop: float) -> Rows:
    times = label_times(float(rows.end.max()), hop)
    # a row that lies within another may end after a later one: rows are in the order of their middles
    last_end = np.maximum.accumulate(rows.end)
    last = np.searchsorted(last_end, times + ROUNDING, side="right") - 1
    known = np.maximum(last, 0)
    step = float(np.median(np.diff(last_end))) if len(last_end) > 1 else hop
    near = (last >= 0) & (times - last_end[known] <= max(hop, step) + ROUNDING)
    return Rows(
        rows.start[known],
        rows.end[known],
        rows.values[known],
        np.asarray(near & rows.valid[known]),
        rows.names,
    )


def _pooled(rows: Rows, statistics: Sequence[str], grid: Grid, where: str) -> Rows:
    duration = float(rows.end.max())
    if grid.window is None or grid.hop is None:
        start, end = np.zeros(1), np.full(1, duration)
        first, stop = np.zeros(1, int), np.full(1, len(rows))
        inside = np.ones(1, bool)
    else:
        try:
            start, end = windows(duration, grid.window, grid.hop, grid.alignment)
        except ValueError as error:
            raise MediaError(f"{where}: {error}") from None
        middle = (rows.start + rows.end) / 2
        first, stop = members(middle, start, end)
        inside = (middle[first] >= start - ROUNDING) & (middle[first] <= end + ROUNDING)
    mean, std = finite_moments(rows.values, first, stop)
    parts = {"mean": mean, "std": std}
    known = np.concatenate([[0], np.cumsum(rows.valid)])
    return Rows(
        start,
        end,
        np.concatenate([parts[name] for name in statistics], axis=1).astype(np.float32),
        np.asarray((known[stop] > known[first]) & inside),
        tuple(f"{name}_{statistic}" for statistic in statistics for name in rows.names),
    )


def first_difference(a: Sequence[str], b: Sequence[str]) -> str:
    """Say where two lists of feature names differ first: `feature 3 is 'x', there 'y'`."""
    for place, (one, other) in enumerate(zip(a, b, strict=False), 1):
        if one != other:
            return f"feature {place} is '{one}', there '{other}'"
    return f"it has {len(a)} features, there are {len(b)}"
