"""What is wrong with a corpus and does not stop the rest: which recording, which file, why."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """Something wrong that does not stop the rest.

    `recording` is empty where the whole corpus is meant; `file` is relative to the corpus root.
    """

    recording: str
    file: str
    reason: str


class NotOnDisk(Problem):
    """A medium that the corpus lists and that is not on disk; in problems.csv it is known by its sentence."""

    __slots__ = ()
    REASON = "listed, but not on disk"

    @classmethod
    def at(cls, recording: str, file: str) -> NotOnDisk:
        """Return the problem of one medium."""
        return cls(recording, file, cls.REASON)


class Expected(Problem):
    """What is so of the corpus as it is distributed, and cannot be mended: counted, and nothing wrong."""

    __slots__ = ()


class NoLabel(Expected):
    """Cells that say, by a word of `labels.absent`, that there is no label: counted, and nothing wrong."""

    __slots__ = ()
