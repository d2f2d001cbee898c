"""Words of params.yaml that a table of the program lists, such as the layouts of corpora."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import PydanticCustomError, core_schema


class OneOf:
    """Refuses every word but those of a table, as `Literal` does for words that are fixed."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = tuple(words)

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        """Return the check, for pydantic."""
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: object) -> str:
        if not isinstance(value, str) or value not in self.words:
            expected = " or ".join(filter(None, (", ".join(self.words[:-1]), self.words[-1])))
            raise PydanticCustomError("literal_error", "not one of the words", {"expected": expected})
        return value
