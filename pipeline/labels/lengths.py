"""Feature tables of a corpus -> how many label times each recording has: labels end with the medium."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, Protocol

from pipeline.features.grid import seconds_to_frames
from pipeline.features.medium_times import disagreement, longest_possible
from pipeline.params import modality_of


class Counted(Protocol):
    """What is asked of a feature table."""

    @property
    def recordings(self) -> list[str]:
        """Recordings that have rows."""

    def count(self, recording: str) -> int:
        """Return the number of rows of a recording, without reading them."""


class Lengths(NamedTuple):
    """How long recordings are.

    frames: label times of each recording. wrong: recordings whose tables disagree, so that none is known to
    be theirs, with both lengths in words.
    """

    frames: dict[str, int]
    wrong: dict[str, str]


def lengths_of(tables: Mapping[str, Counted], extracted: Collection[str], hop: float) -> Lengths:
    """Return the rows on the grid of each recording: of its longest medium.

    Tables that came with the corpus are as long as their files say, so those extracted from media count where
    there are some, and all are held against them. Where a table reaches so far beyond the medium, or beyond
    another table, that its times cannot be seconds of the recording, the length is not known.

    tables: by what scenarios call them. extracted: modalities that are extracted from media. hop: seconds.
    """
    media = {name for name in tables if modality_of(name) in extracted}
    found = Lengths({}, {})
    for recording in sorted({name for table in tables.values() for name in table.recordings}):
        counts = {name: table.count(recording) for name, table in tables.items()}
        ends = {name: (count - 1) * hop for name, count in counts.items() if count}
        wrong = disagreement(ends, media)
        if wrong is not None:
            found.wrong[recording] = wrong
            continue
        own = [ends[name] for name in ends if name in media] or list(ends.values())
        found.frames[recording] = seconds_to_frames(longest_possible(own), hop) + 1
    return found
