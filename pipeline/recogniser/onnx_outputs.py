"""What the networks of all seeds give -> one prediction, as nodes of an ONNX graph.

As everywhere: moved back by the annotation delay, post-processed with each seed's own chain, then the mean,
of classes calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from onnx import TensorProto

from pipeline.learning.temperature import FLOOR
from pipeline.onnx_graph import Graph
from pipeline.scoring.platt import FLOOR as SMALLEST


class Fitted(Protocol):
    """A chain of post-processing, see `pipeline.scoring.chain.Chain`."""

    @property
    def median(self) -> int:
        """Return the frames of the filter."""

    @property
    def shift(self) -> int:
        """Return the frames of the time shift."""

    @property
    def gain(self) -> float:
        """Return the factor."""

    @property
    def offset(self) -> float:
        """Return what is added."""


def averaged(
    graph: Graph, of_seeds: Sequence[str], width: int, delay_frames: int, chains: Sequence[Fitted] | None
) -> str:
    """Add delay, chains and mean, and return (frames, width).

    of_seeds: float32 (frames, width), width 1 or the number of classes. A graph that goes step by step leaves
    out the median filter, which looks ahead.
    """
    moved = []
    for number, rows in enumerate(of_seeds):
        found = held_back(graph, rows, width, delay_frames)
        if chains is not None:
            found = _post_processed(graph, found, chains[number])
        moved.append(found)
    return graph.add("Mean", *moved)


def calibrated(graph: Graph, probabilities: str, temperature: float) -> str:
    """Add what `pipeline.learning.temperature.calibrated` does to probabilities, in float64."""
    precise = graph.add("Cast", probabilities, to=TensorProto.DOUBLE)
    logarithms = graph.add("Log", graph.add("Max", precise, graph.constant(FLOOR, np.float64)))
    cooled = graph.add("Div", logarithms, graph.constant(temperature, np.float64))
    return graph.add("Cast", graph.add("Softmax", cooled, axis=-1), to=TensorProto.FLOAT)


def on_lines(graph: Graph, probabilities: str, lines: Sequence[tuple[float, float]]) -> str:
    """Add what `pipeline.scoring.platt.on_lines` does to probabilities, in float64."""
    one = graph.constant(1.0, np.float64)
    slopes, offsets = (graph.constant([line[part] for line in lines], np.float64) for part in (0, 1))
    precise = graph.add("Cast", probabilities, to=TensorProto.DOUBLE)
    ends = (graph.constant(end, np.float64) for end in (SMALLEST, 1 - SMALLEST))
    inside = graph.add("Max", precise, next(ends))
    inside = graph.add("Min", inside, next(ends))
    logits = graph.add("Log", graph.add("Div", inside, graph.add("Sub", one, inside)))
    moved = graph.add("Add", graph.add("Mul", logits, slopes), offsets)
    return graph.add("Cast", graph.add("Sigmoid", moved), to=TensorProto.FLOAT)


def filters(chains: Sequence[Fitted] | None) -> list[int]:
    """Return the windows of the median filters, frames, of the seeds that have one."""
    return [chain.median for chain in chains or () if chain.median > 1]


def held_back(graph: Graph, rows: str, width: int, frames: int) -> str:
    """Move rows (frames, width) later by some frames; until then the first row is held."""
    if not frames:
        return rows
    began, kept = graph.state(1, 1), graph.state(frames, width)
    zero, one = (graph.constant([value], np.int64) for value in (0, 1))
    going_on = graph.add("Greater", began.name, graph.constant(np.zeros((), np.float32)))
    before = graph.add("Where", going_on, kept.name, graph.rows(rows, zero, one))
    joined = graph.add("Concat", before, rows, axis=0)
    count = graph.count(rows)
    graph.keep(began, graph.constant(np.ones(1, np.float32)))
    end = graph.add("Add", count, graph.constant([frames], np.int64))
    graph.keep(kept, graph.rows(joined, count, end))
    return graph.rows(joined, zero, count)


def _post_processed(graph: Graph, rows: str, chain: Fitted) -> str:
    if chain.median > 1 and not graph.step:
        rows = _median(graph, rows, chain.median)
    if (chain.gain, chain.offset) != (1.0, 0.0):
        rows = graph.add("Mul", rows, graph.constant(chain.gain, np.float32))
        rows = graph.add("Add", rows, graph.constant(chain.offset, np.float32))
    return held_back(graph, rows, 1, chain.shift)


def _median(graph: Graph, rows: str, frames: int) -> str:
    """Add the running median of (frames, 1), edges held; an odd number of frames."""
    zero, one = graph.constant(0, np.int64), graph.constant(1, np.int64)
    axis = graph.constant([1], np.int64)
    count = graph.add("Squeeze", graph.count(rows), graph.constant([0], np.int64))
    middle = graph.add("Unsqueeze", graph.add("Range", zero, count, one), axis)
    around = graph.constant(np.arange(frames)[None] - frames // 2, np.int64)
    places = graph.add("Max", graph.add("Add", middle, around), zero)
    places = graph.add("Min", places, graph.add("Sub", count, one))  # (frames, window)
    inside = graph.add("Gather", graph.add("Squeeze", rows, axis), places, axis=0)
    half = frames // 2 + 1
    highest = graph.add_several("TopK", 2, inside, graph.constant([half], np.int64), axis=1)[0]
    last = graph.constant([half - 1], np.int64)
    return graph.add("Gather", highest, last, axis=1)
