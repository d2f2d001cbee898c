"""Which recordings a table holds, and which of them were refused -> a unit of the store, and back.

The unit stands in the index of the feature table as well, so that a colleague without the file knows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pipeline.features.media.opening import MediaError
from pipeline.features.medium_times import ImpossibleTimesError


class Refusal(NamedTuple):
    """Why the rows of a recording cannot be used; by_medium: another medium may make them usable."""

    reason: str
    by_medium: bool

    @classmethod
    def of(cls, error: MediaError) -> Refusal:
        """Return the refusal for what reading the rows raised."""
        return cls(str(error), isinstance(error, ImpossibleTimesError))


Contents = Mapping[str, Refusal | None]
"""Recording -> why it cannot be used; None: it can."""


def plain(contents: Contents) -> dict[str, Any]:
    """Return contents as JSON holds them: a pair for a refusal, else empty text."""
    return {name: "" if refusal is None else list(refusal) for name, refusal in contents.items()}


def packed(contents: Contents) -> bytes:
    """Return the payload of a unit."""
    return json.dumps(plain(contents)).encode()


def unpacked(payload: bytes) -> dict[str, Refusal | None]:
    """Return what `packed` wrote.

    Older units have a sentence alone for a refusal: whether the medium matters is not known, so it may.
    """
    found: dict[str, Refusal | None] = {}
    for name, value in json.loads(payload).items():
        if isinstance(value, str):
            found[name] = Refusal(value, by_medium=True) if value else None
        else:
            found[name] = Refusal(*value)
    return found
