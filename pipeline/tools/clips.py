"""Stretches of longer media -> clips, several at once, with an account of what became of each.

Who knows a corpus says which stretches there are; what is done is not done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import joblib

from pipeline.features.media.opening import MediaError
from pipeline.running.progress import tracked
from pipeline.tools.cutting import Half, cut


class Piece(NamedTuple):
    """An utterance to cut: from which medium, from when to when (seconds), to where, which half of it."""

    name: str
    source: Path
    start: float
    end: float
    target: Path
    half: Half | None = None


@dataclass
class Outcome:
    """What became of the utterances.

    cut, kept: names; kept ones were there already. missing: medium that is not there, as its corpus calls
    it -> the utterances in it. failed: utterance -> reason.
    """

    cut: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    missing: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def counted(self, media: str) -> str:
        """Return the counts as words; media: what is missing, such as `films`."""
        lost = sum(map(len, self.missing.values()))
        return (
            f"{len(self.cut)} cut, {len(self.kept)} there already, {len(self.failed)} failed, "
            f"{lost} missing with {len(self.missing)} {media}"
        )


def cut_pieces(pieces: Sequence[Piece], outcome: Outcome, workers: int) -> Outcome:
    """Cut all pieces, `workers` at once, and note in `outcome` what became of them."""
    if not pieces:
        return outcome
    finished = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(
        joblib.delayed(_one)(piece) for piece in pieces
    )
    for name, reason in tracked(finished, "cut", "clips", len(pieces)):
        if reason is None:
            outcome.cut.append(name)
        else:
            outcome.failed[name] = reason
    return outcome


def _one(piece: Piece) -> tuple[str, str | None]:
    try:
        cut(piece.source, piece.start, piece.end, piece.target, piece.half)
    except (MediaError, OSError, ValueError) as error:
        return piece.name, str(error)
    return piece.name, None
