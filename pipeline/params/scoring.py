"""Groups of params.yaml about scores and the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from pipeline.params.sentences import no_system


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


EXPORTED = "exported"
"""In place of a system: that which `export.system` chooses."""


class Evaluation(Group):
    """Significance tests, whose scores are computed apart, and how certainty is tested on all speakers.

    `certainty_folds`: in how many folds by speaker `certainty_system` is trained once more for that; None:
    certainty is tested on the partition test alone.
    """

    confidence: float = Field(gt=0.5, lt=1)
    groups: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    certainty_folds: int | None = Field(default=None, ge=3)
    certainty_system: str = Field(default=EXPORTED, min_length=1)
    seed: Seed

    def problems(self) -> Iterator[Problem]:
        """Refuse a column of groups that is named twice, and what names recordings."""
        if sentence := named_twice(self.groups):
            yield Problem("groups", sentence)
        if "recording" in self.groups:
            yield Problem("groups", "names recording, expected columns that say of which group each is")

    def problems_among(self, systems: Iterable[str]) -> Iterator[Problem]:
        """Give what is wrong where these systems are trained."""
        if sentence := no_system(self.certainty_system, EXPORTED, systems):
            yield Problem("evaluation.certainty_system", sentence)


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
