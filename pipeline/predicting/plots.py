"""Rows of one file -> one picture: traces with their intervals, probabilities of classes as bars."""

from __future__ import annotations

import io
import re
import textwrap
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.predicting.block import Block
from pipeline.predicting.growing_table import written
from pipeline.predicting.side_by_side import FUSION, unlike_training
from pipeline.reporting.drawing import CLASS_COLOURS, DASHES, PNG_DPI, SHADED, new_figure, style

Array = NDArray[np.float64]
WIDTH = 8.0
"""Inches: a trace is wide."""
MOST_DRAWN = 3000
"""Points of a line: some three to a pixel."""
LONGEST_NAME = 120
SEPARATE = 1.5
"""Of a row's length: rows that begin later than this after the row before are another stretch."""


class Drawn:
    """What a picture shows. name: as columns begin. classes: none for a trace."""

    def __init__(self, name: str, classes: Sequence[str]) -> None:
        self.name, self.classes = name, tuple(classes)

    @property
    def dimension(self) -> str:
        """Return the last part of the name: arousal, valence, emotion."""
        return self.name.rpartition(".")[2]


def draw(block: Block, shown: Iterable[tuple[str, Sequence[str]]], folder: Path, file: str) -> Path:
    """Draw the rows of a file as `<folder>/<file>.png`, which appears when it is whole; returns its path.

    shown: name of the columns and the classes of each recogniser and fusion.

    Raises:
        WriteError: the file cannot be written, such as on a disk that is full.
    """
    drawn = [Drawn(*each) for each in shown]
    by_dimension: dict[str, list[Drawn]] = {}
    for own in drawn:
        key = own.dimension if own.classes or own.dimension in ("arousal", "valence") else own.name
        by_dimension.setdefault(key, []).append(own)
    start, end = block.columns["start"].values, block.columns["end"].values
    with style():
        figure = _figure(by_dimension, len(start))
        panels = figure.subplots(len(by_dimension), 1, squeeze=False)[:, 0]
        for axes, (dimension, members) in zip(panels, by_dimension.items(), strict=True):
            if not members[0].classes:
                _traces(axes, block, members, start, end)
            elif len(start) == 1:
                _bars(axes, block, members)
            else:
                _bars_over_time(axes, block, _last_that_says_something(block, members), start, end)
            axes.set_ylabel(axes.get_ylabel() or dimension)
        title = file if len(file) <= LONGEST_NAME else f"...{file[-LONGEST_NAME:]}"
        panels[0].set_title("\n".join([title, *_doubt(block, [own.name for own in drawn])]))
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=PNG_DPI, metadata={"Software": None})
    path = folder / f"{picture_name(file)}.png"
    partial = path.with_name(f".{path.name}.tmp")
    with written(path):
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(buffer.getvalue())
        partial.replace(path)
    return path


def _doubt(block: Block, names: Sequence[str]) -> list[str]:
    """Return the line that says to which recognisers the file is unlike those of training, if to any."""
    alone = [name for name in names if not name.startswith(f"{FUSION}.")]
    unlike = unlike_training(block.columns, alone)
    if not unlike:
        return []
    which = "" if len(unlike) == len(alone) else f": {', '.join(unlike)}"
    return textwrap.wrap(f"unlike the recordings of training{which}", LONGEST_NAME)


def picture_name(file: str) -> str:
    """Return the name of a file's picture: its path as one word, another one for each path."""
    word = re.sub(r"[^\w.-]+", "_", file).strip("._")[-LONGEST_NAME:]
    return word if word == file else f"{word}-{zlib.crc32(file.encode()):08x}"


def _figure(by_dimension: dict[str, list[Drawn]], rows: int) -> Figure:
    heights = [
        0.8 + 0.22 * len(members[0].classes) * len(members) if members[0].classes and rows == 1 else 2.2
        for members in by_dimension.values()
    ]
    return new_figure(0.6 + sum(heights), WIDTH)


def _traces(axes: Axes, block: Block, members: Sequence[Drawn], start: Array, end: Array) -> None:
    """Draw traces with their intervals, where they are valid; where none is the panel is shaded."""
    valid = [_valid(block, own) for own in members]
    some = np.any(valid, axis=0)
    step = max(1, -(-len(start) // MOST_DRAWN))
    # a line ends where another stretch of the file begins
    gaps = np.flatnonzero(np.diff(start) > SEPARATE * (end - start)[:-1]) + 1
    for place, own in enumerate(members):
        colour, dash = CLASS_COLOURS[place % len(CLASS_COLOURS)], DASHES[place % len(DASHES)]
        # where another one is valid, what this one says is left out
        value = np.where(valid[place] | ~some, block.columns[own.name].values.astype(np.float64), np.nan)
        low, high = (block.columns.get(f"{own.name}.{edge}") for edge in ("low", "high"))
        for number, here in enumerate(np.split(np.arange(len(start)), gaps)):
            here = here[::step]
            label = _label(own) if number == 0 and np.isfinite(value).any() else None
            axes.plot(start[here], value[here], color=colour, ls=dash, label=label)
            if low is not None and high is not None:
                edges = (low.values[here].astype(float), high.values[here].astype(float))
                said = np.isfinite(value[here])
                axes.fill_between(start[here], *edges, where=said, color=colour, alpha=0.18, lw=0)
    for number, (first, last) in enumerate(_stretches(~some)):
        label = None if number else "not valid"
        axes.axvspan(start[first], end[last], color=SHADED, lw=0, zorder=0, label=label)
    axes.margins(x=0)
    axes.set_xlabel("time, s")
    if len(members) > 1 or not some.all():
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _valid(block: Block, own: Drawn) -> NDArray[np.bool_]:
    """Return which rows describe the recording to a recogniser, (rows,); where it says nothing none does."""
    said = np.isfinite(block.columns[own.name].values.astype(np.float64))
    column = block.columns.get(f"{own.name}.valid") or block.columns.get("valid")
    return said if column is None else said & column.values.astype(bool)


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last place of each run of set flags."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(int), [0]])))
    return [(int(first), int(stop) - 1) for first, stop in edges.reshape(-1, 2)]


def _bars(axes: Axes, block: Block, members: Sequence[Drawn]) -> None:
    """Draw the probability of each class, a bar for each recogniser that says something."""
    classes = members[0].classes
    probabilities = [
        [float(block.columns[f"{own.name}.{name}"].values[0]) for name in classes] for own in members
    ]
    saying = [place for place, values in enumerate(probabilities) if np.isfinite(values).any()]
    height = 0.8 / max(1, len(saying))
    for row, place in enumerate(saying):
        values = probabilities[place]
        rows = np.arange(len(classes)) + (row - (len(saying) - 1) / 2) * height
        label = _label(members[place])
        bars = axes.barh(rows, values, height * 0.9, color=CLASS_COLOURS[place], label=label)
        axes.bar_label(
            bars, ["" if value != value else f"{value:.2f}" for value in values], padding=2, size=8
        )
    axes.set_yticks(np.arange(len(classes)), classes)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.08)
    axes.set_xlabel("probability")
    axes.set_ylabel(members[0].dimension)
    if len(members) > 1 and saying:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _last_that_says_something(block: Block, members: Sequence[Drawn]) -> Drawn:
    """Return of several the last one with a probability, which is the fusion where there is one."""
    said = (
        own
        for own in reversed(members)
        if any(
            np.isfinite(block.columns[f"{own.name}.{name}"].values.astype(float)).any()
            for name in own.classes
        )
    )
    return next(said, members[-1])


def _bars_over_time(axes: Axes, block: Block, own: Drawn, start: Array, end: Array) -> None:
    """Draw the probabilities of the parts of a file, stacked."""
    width = np.where(np.isnan(end), 1.0, end - start)
    below = np.zeros(len(start))
    every = [
        np.nan_to_num(block.columns[f"{own.name}.{name}"].values.astype(np.float64)) for name in own.classes
    ]
    highest = max(1.0, float(np.sum(every, axis=0).max(initial=0.0)))  # above 1: each class is by itself
    for place, (name, values) in enumerate(zip(own.classes, every, strict=True)):
        colour = CLASS_COLOURS[place % len(CLASS_COLOURS)]
        axes.bar(
            start, values, width, below, align="edge", color=colour, edgecolor="white", lw=0.5, label=name
        )
        below += values
    axes.set_ylim(0, highest)
    axes.margins(x=0)
    axes.set_xlabel("time, s")
    axes.set_ylabel(f"probability\n({_label(own)})")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _label(own: Drawn) -> str:
    """Return what the legend calls a recogniser."""
    before = own.name.rpartition(".")[0]
    return "late fusion" if before == FUSION else before or own.name
