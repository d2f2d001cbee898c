"""Frame vectors -> one vector per window or utterance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import Extractor, Given, Reads
from pipeline.features.grid import windows_or_whole
from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.window_moments import members, moments
from pipeline.params import Corpus, Grid, Pooling
from pipeline.store.rows import Rows

VERSION = 2
"""Raised whenever this module gives other numbers for the same recording."""


@dataclass(frozen=True)
class Moments(Extractor):
    """Mean and standard deviation of frame vectors, with the parameters of a corpus."""

    pooling: Pooling
    grid: Grid

    reads = Reads(table="embeddings")

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the frame vectors that the rows of a recording depend on."""
        return fingerprint(self.pooling, self.grid)

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...] | None:
        """Return the names of the statistics of what it pools."""
        return None if before is None else pooled_names(before, self.pooling)

    def extract(self, given: Given, device: str) -> Rows:
        """Pool the frame vectors of one recording, as `pool` does."""
        return pool(given.required_rows(), self.pooling, self.grid, given.recording)


def extractor(corpus: Corpus) -> Moments:
    """Return the extractor with a corpus' parameters."""
    return Moments(corpus.video.pooling, corpus.grid)


def fingerprint(pooling: Pooling, grid: Grid) -> dict[str, Any]:
    """Return everything but the frame vectors that the pooled rows of a recording depend on."""
    return {"version": VERSION, "pooling": pooling.model_dump(mode="json"), "grid": grid.fingerprint()}


def pool(frames: Rows, pooling: Pooling, grid: Grid, recording: str = "") -> Rows:
    """Pool the frames whose time lies in each window by mean and/or standard deviation.

    Both ends belong to a window. Moments are the population's. A window without any frame takes the
    frame last shown before it. `valid`: at least one frame in the window has a face. Without any
    face in the recording all values are 0. Features are named `<feature>_<statistic>`.

    Raises:
        MediaError: the recording is shorter than a window.
    """
    filled = fill(frames.values, frames.valid, pooling.no_face)
    duration = float(frames.end[-1])
    try:
        start, end = windows_or_whole(duration, grid)
    except ValueError as error:
        raise MediaError(f"{recording}: {error}") from None
    first, stop = members(frames.start, start, end)
    mean, std = moments(filled, first, stop)
    parts = {"mean": mean, "std": std}
    faces = np.concatenate([[0], np.cumsum(frames.valid)])
    return Rows(
        start,
        end,
        np.concatenate([parts[name] for name in pooling.statistics], axis=1).astype(np.float32),
        faces[stop] > faces[first],
        pooled_names(frames.names, pooling),
    )


def pooled_names(names: tuple[str, ...], pooling: Pooling) -> tuple[str, ...]:
    """Return what the statistics of features are called."""
    return tuple(f"{name}_{statistic}" for statistic in pooling.statistics for name in names)


def fill(values: NDArray[np.float32], valid: NDArray[np.bool_], no_face: str) -> NDArray[np.float32]:
    """Replace the vectors of frames without a face.

    hold: the last valid vector, before the first one the first. interpolate: linearly between the
    neighbours, edges held. zero: zeros. values: (frames, features). valid: (frames,).
    """
    known = np.flatnonzero(valid)
    if len(known) == len(valid):
        return values
    if no_face == "zero" or not len(known):
        return np.where(valid[:, None], values, np.float32(0))
    frames = np.arange(len(valid))
    # neighbours known: the last at or before each frame, and the next at or after it
    before = known[np.clip(np.searchsorted(known, frames, side="right") - 1, 0, None)]
    if no_face == "hold":
        return values[before]
    after = known[np.clip(np.searchsorted(known, frames, side="left"), None, len(known) - 1)]
    distance = np.maximum(after - before, 1)
    share = (np.clip((frames - before) / distance, 0, 1))[:, None].astype(np.float32)
    return values[before] * (1 - share) + values[after] * share
