"""Groups of params.yaml about scores and the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import (
    Field,
)

from pipeline.params.group import (
    Group,
    Positive,
    Problem,
    Seed,
    named_twice,
)


class Postprocessing(Group):
    """Chain fitted on dev: median filter, centring, scaling, time shift (regression only)."""

    median_windows: tuple[Positive, ...]
    centring: bool
    scaling: bool
    shifts: tuple[Positive, ...]
    keep: Literal["leave_one_out", "dev"] = "leave_one_out"

    def problems(self) -> Iterator[Problem]:
        """Refuse values that are tried twice."""
        for name, values in (("median_windows", self.median_windows), ("shifts", self.shifts)):
            if sentence := named_twice(values):
                yield Problem(name, sentence)


class Evaluation(Group):
    """Significance tests, and whose scores are computed apart."""

    confidence: float = Field(gt=0.5, lt=1)
    groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    seed: Seed

    def problems(self) -> Iterator[Problem]:
        """Refuse a column of groups that is named twice, and what names recordings."""
        if sentence := named_twice(self.groups):
            yield Problem("groups", sentence)
        if "recording" in self.groups:
            yield Problem("groups", "names recording, expected columns that say of which group each is")


class Report(Group):
    """What the report shows."""

    recordings: int = Field(ge=1)
    tsne_points: int = Field(ge=50)
    classes: tuple[str, ...] = ()
    seed: Seed

    def problems(self) -> Iterator[Problem]:
        """Refuse a class that is named twice."""
        if sentence := named_twice(self.classes):
            yield Problem("classes", sentence)
