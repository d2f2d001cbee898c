"""What the server says, as JSON and in its description of itself (OpenAPI)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, Field

from pipeline.params import modality_of

Cell = float | int | bool | str | None
NOTICE = (
    "A system that recognises emotions works here. Whoever is heard or seen must be told so beforehand "
    "(EU AI Act, Article 50(3)). At work and in education it must not be used to infer emotions, except for "
    "medical or safety reasons (Article 5(1)(f)). What it says is an estimate, often wrong, and no knowledge "
    "of what somebody feels."
)
ROW = (
    "start, end: seconds. <dimension>: the value, or the name of the class (of multilabel the names with "
    "semicolons between them, or none). <dimension>.<class>: "
    "probabilities. <dimension>.low, .high: an interval, where the recogniser has one. "
    "<dimension>.seed_spread: standard deviation over the networks. valid: whether the features describe the "
    "recording (a face was found). Live also delay: how many seconds came after start (of windows that are "
    "recordings of their own: after end) before the row was known; and refused: why such a window has no "
    "prediction."
)
SHARE, FLAG = "out_of_domain", "out_of_domain.flag"
"""Columns that are the same in all rows of a recording."""


class About(BaseModel):
    """A recogniser."""

    name: str = Field(description="of its experiment, unique here")
    dimension: str = Field(description="what it predicts")
    task: str = Field(description="regression, classification or multilabel (any number of classes)")
    classes: list[str]
    modality: str = Field(description="what it listens to, or looks at")
    needed: list[str] = Field(description="all modalities that a recording must have")
    hop: float | None = Field(description="seconds between two predictions; null: one per recording")
    live: bool = Field(description="whether it predicts sound and pictures as they come")
    not_live: str | None = Field(default=None, description="why not")
    live_window: float | None = Field(
        default=None,
        description="seconds; live, each so long window is predicted as a recording of its own; null: label "
        "times, as in a recording",
    )
    live_hop: float | None = Field(default=None, description="seconds between two such windows")

    @property
    def hears(self) -> bool:
        """Say whether it needs sound."""
        return any(modality_of(name) == "audio" for name in self.needed)

    @property
    def sees(self) -> bool:
        """Say whether it needs pictures."""
        return any(modality_of(name) == "video" for name in self.needed)


class Fusion(BaseModel):
    """The mean of recognisers of one dimension that need different modalities."""

    name: str
    dimension: str
    task: str
    classes: list[str]
    needed: list[str] = Field(description="modalities of its members")
    hop: float | None
    members: list[str] = Field(description="the recognisers")


class Server(BaseModel):
    """What is served, and how much is taken."""

    version: str
    recognisers: list[About]
    fusions: list[Fusion] = Field(
        default=[], description="predicted of a recording, beside the recognisers, if all members are"
    )
    max_bytes: int = Field(description="of an upload")
    time_limit: float = Field(description="seconds, of an upload and of its prediction")
    live_length: float = Field(description="seconds of a live session")
    live_pictures_hz: float = Field(
        default=0.0, description="pictures per second that live recognisers look at"
    )
    notice: str = NOTICE


class Predicted(BaseModel):
    """The prediction of one recogniser, or why there is none."""

    recogniser: str = Field(description="its name, or that of a fusion")
    error: str | None = None
    out_of_domain: float | None = Field(
        default=None,
        description="share of features beyond what training saw, if known; live: so far",
    )
    unusual: bool | None = Field(
        default=None, description="whether that is more than of recordings like training's"
    )
    rows: list[dict[str, Cell]] = Field(default=[], description=ROW)


class Answer(BaseModel):
    """The predictions of one file."""

    file: str
    predictions: list[Predicted]
    notice: str = NOTICE


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


def said_of(table: Any) -> dict[str, Any]:
    """Return a table with the index (file, start, end) as the fields of `Predicted` but its name."""
    frame = table.reset_index().drop(columns="file")
    for name in ("start", "end"):
        frame[name] = frame[name].dt.total_seconds()
    columns: Mapping[str, Sequence[Any]] = {str(name): frame[name].tolist() for name in frame.columns}
    return said_of_rows([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def said_of_rows(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows as the fields of `Predicted`; NaN is null, what is the same in all rows stands beside."""
    if not rows:
        return {"rows": []}
    last = rows[-1]
    own = [{name: cell(row[name]) for name in row if name not in (SHARE, FLAG)} for row in rows]
    share = cell(last.get(SHARE))
    return {"rows": own, SHARE: share, "unusual": None if share is None else cell(last.get(FLAG))}


def cell(value: Any) -> Cell:
    """Return a value as JSON has it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value if isinstance(value, int | str) else None
