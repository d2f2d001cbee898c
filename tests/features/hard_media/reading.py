"""A file -> what extraction and check say of it, by the functions that the stages call."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.functionals import extract
from pipeline.features.audio.sound import read_sound
from pipeline.features.media.damage import require_whole
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.inspection import inspect
from pipeline.features.media.opening import MediaError
from pipeline.params import Corpus, Grid, load_params
from pipeline.store.damage import Damage
from tests import parameters

RATE = 16000
FRAME_RATE = 20.0
Modality = Literal["audio", "video"]


@cache
def corpus() -> Corpus:
    """Return a corpus of utterances with the rates above, and the allowed shares of damage by default."""
    own = load_params(parameters.PATH).corpus("own")
    faces = own.video.faces.model_copy(update={"frame_rate_hz": FRAME_RATE})
    video = own.video.model_copy(update={"faces": faces})
    audio = own.audio.model_copy(update={"sampling_rate_hz": RATE, "max_failed_share": 1.0})
    return own.model_copy(update={"audio": audio, "video": video, "grid": Grid(window=None, hop=None)})


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
    extraction. problems, notes, checked: what the check found, and the length that it found.
    """

    refused: str | None = None
    said: list[str] = field(default_factory=list)
    waveform: NDArray[np.float32] | None = None
    pictures: list[tuple[NDArray[np.uint8], range]] = field(default_factory=list)
    length: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    checked: float | None = None


def look(wanted: Wanted) -> Found:
    """Extract from a file, then check it. Any exception but `MediaError` is the caller's to judge."""
    path, modality, keep = wanted
    with _warnings() as said:
        try:
            found: dict[str, Any] = _sound(path) if modality == "audio" else _pictures(path, keep, said)
        except MediaError as error:
            found = {"refused": str(error).replace(str(path), path.name)}
    checked = inspect(path, modality, corpus())
    said = list(dict.fromkeys(said))
    return Found(said=said, problems=checked.problems, notes=checked.notes, checked=checked.duration, **found)


def _sound(path: Path) -> dict[str, Any]:
    parameters = corpus().audio
    rows = extract(path, parameters, corpus().grid)
    _require_whole(path, rows.damage, parameters.max_damaged_share)
    return {"waveform": read_sound(path, RATE).signal, "length": float(rows.end[0])}


def _pictures(path: Path, keep: bool, said: list[str]) -> dict[str, Any]:
    frames = FramesOnGrid(path, FRAME_RATE)
    pictures = []
    for frame in frames:
        pictures += [(frame.image, frame.ticks)] if keep else []
    # detection, which is not run here, warns of this
    said += filter(None, [frames.damage.words, *frames.notes])
    _require_whole(path, frames.damage, corpus().video.faces.max_damaged_share)
    return {"pictures": pictures, "length": frames.duration}


def _require_whole(path: Path, damage: Damage, share: float) -> None:
    """Refuse as the stages do after extraction."""
    require_whole(path, damage, share, "max_damaged_share")


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
