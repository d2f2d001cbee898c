"""Words of params.yaml that a table of the program lists, such as the layouts of corpora."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError


def one_of(known: Iterable[str]) -> BeforeValidator:
    """Return what refuses every word but those of a table, as `Literal` does for words that are fixed."""
    words = tuple(known)

    def check(value: object) -> object:
        if value not in words:
            expected = ", ".join(words[:-1]) + f" or {words[-1]}" if len(words) > 1 else words[0]
            raise PydanticCustomError("literal_error", "not one of the words", {"expected": expected})
        return value

    return BeforeValidator(check)
