"""One file that is predicted from, the parts of it that are meant, and what is said where that cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class InputError(ValueError):
    """Report inputs that cannot be predicted from as they were given: what, and what would be right."""


class NothingError(InputError):
    """Report that the inputs hold nothing to predict."""


class Part(NamedTuple):
    """A part of a file that is predicted by itself.

    start, end: seconds; end None: to the end of the file. words: the transcript, where a table has it.
    given: cells of the other columns of the table that names it, in the order of `Inputs.columns`.
    """

    start: float = 0.0
    end: float | None = None
    words: str | None = None
    given: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Say whether it is all of the file."""
        return self.start == 0.0 and self.end is None


class Medium(NamedTuple):
    """One file. name: as the output has it. path: where it lies. parts: of it, at least one."""

    name: str
    path: Path
    parts: tuple[Part, ...] = (Part(),)


class Failure(NamedTuple):
    """A file without some or all of its predictions. file: as the output would have it."""

    file: str
    reason: str
