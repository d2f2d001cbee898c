"""What groups of params.yaml share: frozen models, sentences on what does not fit, ranges of numbers."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

Task = Literal["regression", "classification", "multilabel"]
"""What is predicted: a name in `pipeline.catalogue.tasks`."""


INCONSISTENT = "inconsistent"
"""What pydantic calls values that are right by themselves and wrong together."""


class Problem(NamedTuple):
    """What does not fit together: the key below the group (empty: several keys), and a sentence."""

    key: str
    sentence: str


class Group(BaseModel):
    """Base of all parameter groups: frozen, unknown keys refused."""

    # no group gets a validator of its own but those read by themselves: every command reads parameters
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    def problems(self) -> Iterator[Problem]:
        """Give the values of this group that do not fit together."""
        yield from ()

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_of_yes(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse `yes` or `true` where a number is meant: they would be 1."""
        values = value if isinstance(value, list) else [value]
        if any(each is True or each is False for each in values):
            kinds = _scalars(cls.model_fields[str(info.field_name)].annotation)
            if not kinds.isdisjoint({int, float}) and bool not in kinds:
                raise PydanticCustomError("bool_for_number", "a number")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := list(self.problems()):
            text = "; ".join(f"{key}: {sentence}" if key else sentence for key, sentence in found)
            # braces: pydantic's template
            raise PydanticCustomError(INCONSISTENT, "{text}", {"text": text, "problems": found})
        return self


def _scalars(annotation: Any) -> set[Any]:
    """Return the types that stand anywhere in an annotation."""
    parts = typing.get_args(annotation)
    return {annotation} if not parts else {kind for part in parts for kind in _scalars(part)}


def named_twice(values: Sequence[object]) -> str | None:
    """Return a sentence about the first value that occurs twice in a list, None where each is there once."""
    for place, value in enumerate(values):
        if value in values[:place]:
            return f"names {value} twice, expected once"
    return None


Share = Annotated[float, Field(ge=0, le=1)]


Positive = Annotated[float, Field(gt=0)]


NotNegative = Annotated[float, Field(ge=0)]


Seed = Annotated[int, Field(ge=0)]


def or_null(value: float | None) -> str:
    """Write a number as YAML has it."""
    return "null" if value is None else f"{value:g}"


def is_multiple(value: float, unit: float) -> bool:
    """Say whether `value` is a whole number of `unit`s, up to rounding of decimal fractions."""
    return math.isclose(value / unit, round(value / unit), abs_tol=1e-6)
