"""A file -> what extraction and check say of it, by the functions that the stages call."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio import extract, read_waveform
from pipeline.features.frames import FramesOnGrid
from pipeline.features.inspection import inspect
from pipeline.features.media import MediaError
from pipeline.params import Audio, Grid

RATE = 16000
FRAME_RATE = 20.0
AUDIO = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=RATE, max_failed_share=0)
UTTERANCE = Grid(window=None, hop=None)
Modality = Literal["audio", "video"]


class Wanted(NamedTuple):
    """What is looked at in which file. keep: whether pictures are wanted, or their length only."""

    path: Path
    modality: Modality
    keep: bool = True


@dataclass(frozen=True)
class Found:
    """What was found in one stream.

    refused: the reason of extraction, None: it gave something. said: what extraction warned of.
    waveform: (frames,) at `RATE`; pictures: with the ticks of 1 / FRAME_RATE. length: seconds, of the
    extraction. problems, checked: what the check found, and the length that it found.
    """

    refused: str | None = None
    said: list[str] = field(default_factory=list)
    waveform: NDArray[np.float32] | None = None
    pictures: list[tuple[NDArray[np.uint8], range]] = field(default_factory=list)
    length: float | None = None
    problems: list[str] = field(default_factory=list)
    checked: float | None = None


def look(wanted: Wanted) -> Found:
    """Extract from a file, then check it. Any exception but `MediaError` is the caller's to judge."""
    path, modality, keep = wanted
    with _warnings() as said:
        try:
            found: dict[str, Any] = _sound(path) if modality == "audio" else _pictures(path, keep)
        except MediaError as error:
            found = {"refused": str(error).replace(str(path), path.name)}
    inspection = inspect(path, modality, None)
    return Found(
        said=list(dict.fromkeys(said)), problems=inspection.problems, checked=inspection.duration, **found
    )


def _sound(path: Path) -> dict[str, Any]:
    rows = extract(path, AUDIO, UTTERANCE)
    return {"waveform": read_waveform(path, RATE), "length": float(rows.end[0])}


def _pictures(path: Path, keep: bool) -> dict[str, Any]:
    frames = FramesOnGrid(path, FRAME_RATE)
    pictures = []
    for frame in frames:
        pictures += [(frame.image, frame.ticks)] if keep else []
    return {"pictures": pictures, "length": frames.duration}


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect what the product logs."""
    said: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("pipeline")
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
