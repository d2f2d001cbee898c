"""What the server says, as JSON and in its description of itself (OpenAPI)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, Field

Cell = float | int | bool | str | None
NOTICE = (
    "A system that recognises emotions works here. Whoever is heard or seen must be told so beforehand "
    "(EU AI Act, Article 50(3)). At work and in education it must not be used to infer emotions, except for "
    "medical or safety reasons (Article 5(1)(f)). What it says is an estimate, often wrong, and no knowledge "
    "of what somebody feels."
)
ROW = (
    "start, end: seconds. <dimension>: the value, or the name of the class. <dimension>.<class>: "
    "probabilities. <dimension>.low, .high: an interval, where the recogniser has one. "
    "<dimension>.seed_spread: standard deviation over the networks. valid: whether the features describe the "
    "recording (a face was found)."
)


class About(BaseModel):
    """A recogniser."""

    name: str = Field(description="of its experiment, unique here")
    dimension: str = Field(description="what it predicts")
    task: str = Field(description="regression or classification")
    classes: list[str]
    modality: str = Field(description="what it listens to, or looks at")
    needed: list[str] = Field(description="all modalities that a recording must have")
    hop: float | None = Field(description="seconds between two predictions; null: one per recording")
    live: bool = Field(description="whether it predicts sound as it comes")


class Server(BaseModel):
    """What is served, and how much is taken."""

    version: str
    recognisers: list[About]
    max_bytes: int = Field(description="of an upload")
    time_limit: float = Field(description="seconds, of an upload and of its prediction")
    live_length: float = Field(description="seconds of a live session")
    notice: str = NOTICE


class Predicted(BaseModel):
    """The prediction of one recogniser, or why there is none."""

    recogniser: str
    error: str | None = None
    out_of_domain: float | None = Field(
        None, description="share of features beyond what training saw, where the recogniser knows"
    )
    rows: list[dict[str, Cell]] = Field([], description=ROW)


class Answer(BaseModel):
    """The predictions of one file."""

    file: str
    predictions: list[Predicted]
    notice: str = NOTICE


class Problem(BaseModel):
    """Why there is no answer."""

    detail: str


def rows_of(table: Any) -> list[dict[str, Cell]]:
    """Return the rows of a table with the index (file, start, end) as JSON has them; NaN is null."""
    frame = table.reset_index().drop(columns="file")
    for name in ("start", "end"):
        frame[name] = frame[name].dt.total_seconds()
    columns: Mapping[str, Sequence[Any]] = {str(name): frame[name].tolist() for name in frame.columns}
    return [
        {name: _cell(value) for name, value in zip(columns, row, strict=True)}
        for row in zip(*columns.values(), strict=True)
    ]


def _cell(value: Any) -> Cell:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value if isinstance(value, int | str) else None
