"""A scenario: the modality that is used alone at inference, and those that help in training.

A modality is named by the word under which its features are known: `audio` and `video` are extracted
from media, other names come from `features` (tables that came with the corpus). In a corpus of layout
`mixed` a name says whose recordings are meant: `audio@heard`.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import model_serializer

from pipeline.params.group import Group

NAME = re.compile(r"[a-z][a-z0-9_]*")
WHOLE_NAME = re.compile(rf"{NAME.pattern}(@{NAME.pattern})?")


class Scenario(Group):
    """A target modality and one or more others, in this order.

    Systems predict from the target alone, and learn from the others too, or need all of them to predict.
    """

    modalities: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return `audio+video`, the target first."""
        return "+".join(self.modalities)

    @property
    def target(self) -> str:
        """Return the modality that is used alone."""
        return self.modalities[0]

    @property
    def others(self) -> tuple[str, ...]:
        """Return the modalities besides the target."""
        return self.modalities[1:]

    @property
    def auxiliary(self) -> str:
        """Return the others in one word, `video+text`, as tables have them."""
        return "+".join(self.others)

    @property
    def views(self) -> dict[str, str]:
        """Return what learners call each modality -> the modality, in order."""
        return dict(zip(view_names(len(self.modalities)), self.modalities, strict=True))

    @model_serializer
    def _as_written(self) -> str:
        return self.name


def view_names(count: int) -> tuple[str, ...]:
    """Return what learners call the modalities of a scenario: target, auxiliary, auxiliary2 and so on."""
    return ("target", "auxiliary", *(f"auxiliary{place}" for place in range(2, count)))[:count]


def modality_of(name: str) -> str:
    """Return the modality of `audio` or `audio@heard`: `audio`."""
    return name.partition("@")[0]


def source_of(name: str) -> str:
    """Return the source of `audio@heard`: `heard`; empty where none is named."""
    return name.partition("@")[2]


def parse_scenario(value: Any) -> Any:
    """Return `target+other[+other ...]` as what `Scenario` is made from.

    Raises:
        ValueError: it is something else, has a name that is not one, or one modality twice.
    """
    if isinstance(value, Scenario):
        return value
    names = value.split("+") if isinstance(value, str) else ()
    if len(names) > 1 and len(set(names)) == len(names) and all(map(WHOLE_NAME.fullmatch, names)):
        return {"modalities": names}
    raise ValueError(
        "expected target+auxiliary, two or more modalities such as audio+video or audio+video+text (small "
        "letters, digits, _; in layout mixed with their sources, audio@heard+video@seen)"
    )
