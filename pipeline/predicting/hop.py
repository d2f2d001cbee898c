"""A trace at the hop of its recogniser -> the same trace at another hop.

The windows stay those of training: only the times change at which the trace is read. Row k belongs to the
time k x hop. On a coarser hop each row is the mean of those that lie nearer to its time than to the next
one's; on a finer one it is interpolated linearly, which adds no knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pipeline.predicting.block import FLAG, NUMBER, Column

NEAR = 1e-6
"""Of a hop: what differs by less is the same time."""


def on_hop(columns: Mapping[str, Column], hop: float, wanted: float) -> dict[str, Column]:
    """Return columns of a trace at another hop.

    hop, wanted: seconds. Of flags (`valid`) at least half of the rows that are averaged must be set; on a
    finer hop the nearest row counts.
    """
    if abs(wanted - hop) <= NEAR * hop:
        return dict(columns)
    count = len(next(iter(columns.values())).values)
    rows = int(np.floor((count - 1) * hop / wanted + NEAR)) + 1
    times = np.asarray(np.arange(rows) * wanted, np.float64)
    read = _averaged if wanted > hop else _interpolated
    return {name: Column(column.kind, read(column, hop, wanted, times)) for name, column in columns.items()}


def _averaged(column: Column, hop: float, wanted: float, times: NDArray[np.float64]) -> NDArray[np.generic]:
    count = len(column.values)
    first, stop = (np.ceil((times + side * wanted / 2) / hop - NEAR).astype(int) for side in (-1, 1))
    first, stop = np.clip(first, 0, count), np.clip(stop, 0, count)
    # every row is in one mean, and none is empty: the row nearest to a time is within half a hop of it
    values = np.append(column.values.astype(np.float64), 0.0)
    mean = np.add.reduceat(values, np.stack([first, stop], axis=1).ravel())[::2] / (stop - first)
    if column.kind == FLAG:
        return np.asarray(mean >= 0.5)
    assert column.kind == NUMBER, column.kind
    return mean


def _interpolated(
    column: Column, hop: float, wanted: float, times: NDArray[np.float64]
) -> NDArray[np.generic]:
    place = times / hop
    if column.kind == FLAG:
        nearest = np.clip(np.rint(place).astype(int), 0, len(column.values) - 1)
        return np.asarray(column.values[nearest])
    assert column.kind == NUMBER, column.kind
    return np.interp(place, np.arange(len(column.values)), column.values.astype(np.float64))
