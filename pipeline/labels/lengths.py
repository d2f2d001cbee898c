"""Feature tables of a corpus -> how many label times each recording has: labels end with the medium."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from pipeline.features.grid import seconds_to_frames
from pipeline.features.medium_times import END, OTHER_MEDIUM, longest_possible
from pipeline.params import modality_of


class Counted(Protocol):
    """What is asked of a feature table."""

    @property
    def recordings(self) -> list[str]:
        """Recordings that have rows."""

    def count(self, recording: str) -> int:
        """Return the number of rows of a recording, without reading them."""


def frames_of(tables: Mapping[str, Counted], extracted: Collection[str], hop: float) -> dict[str, int]:
    """Return the rows on the grid of each recording: of its longest medium.

    Tables that came with the corpus are as long as their files say, so those extracted from media count where
    there are some, and all are held against them.

    tables: by what scenarios call them. extracted: modalities that are extracted from media. hop: seconds.

    Raises:
        ValueError: the rows of a table reach so far beyond the medium, or beyond another table, that their
            times cannot be seconds of the recording.
    """
    media = {name: table for name, table in tables.items() if modality_of(name) in extracted}
    frames: dict[str, int] = {}
    wrong: dict[str, list[tuple[str, int, int]]] = {}
    for recording in sorted({name for table in tables.values() for name in table.recordings}):
        counts = {name: table.count(recording) for name, table in tables.items() if table.count(recording)}
        own = [counts[name] for name in media if name in counts] or list(counts.values())
        length = longest_possible([(count - 1) * hop for count in own])
        frames[recording] = seconds_to_frames(length, hop) + 1
        for name, count in counts.items():
            if (count - 1) * hop > OTHER_MEDIUM * length + END:
                wrong.setdefault(name, []).append((recording, count, frames[recording]))
    if wrong:
        raise ValueError("\n".join(_sentence(name, cases, hop) for name, cases in wrong.items()))
    return frames


def _sentence(name: str, cases: Iterable[tuple[str, int, int]], hop: float) -> str:
    (recording, count, frames), *others = cases
    also = f", and so in {len(others)} more recordings" if others else ""
    return (
        f"features of {name}: {recording} ends at {(count - 1) * hop:.1f} s of {(frames - 1) * hop:.1f} s"
        f"{also}; expected times in seconds from the beginning of the recording"
    )
