"""Recordings and the parameters of their partition -> the folds that are trained, one or several.

The manifest keeps the partitions that the corpus came with; every stage that needs to know who is in
train, dev and test asks here, so that all agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.corpora.recording import Recording
from pipeline.params import Partitions


@dataclass(frozen=True)
class Fold:
    """Recordings with the partition that they have in this fold; name: empty where there is one only."""

    name: str
    recordings: list[Recording]


def folds(recordings: Sequence[Recording], partitions: Partitions) -> list[Fold]:
    """Return the folds of a corpus; same recordings and parameters, same folds."""
    return [Fold("", list(recordings))]
