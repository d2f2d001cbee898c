"""The group of params.yaml about recognisers: what the stage export writes for use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import Field

from pipeline.params.group import Group, Problem
from pipeline.params.sentences import no_system

BEST_ALONE = "best_alone"
"""In place of a system: the best on dev among those that need the target alone and are no control."""


class Export(Group):
    """Which system of each experiment is exported, and whether files that features need go with it."""

    system: str = Field(default=BEST_ALONE, min_length=1)
    networks: Literal["copy", "refer"] = "copy"

    def problems_among(self, systems: Iterable[str]) -> Iterator[Problem]:
        """Give what is wrong where these systems are trained."""
        if sentence := no_system(self.system, BEST_ALONE, systems):
            yield Problem("export.system", sentence)
