"""A scenario: the modality that is used alone at inference, and the one that helps in training.

A modality is named by the word under which its features are known: `audio` and `video` are extracted
from media, other names come from `features` (tables that came with the corpus). In a corpus of layout
`mixed` a name says whose recordings are meant: `audio@heard`.
"""

from __future__ import annotations

import re
from typing import Any

from pipeline.params.groups import Group

NAME = re.compile(r"[a-z][a-z0-9_]*")
WHOLE_NAME = re.compile(rf"{NAME.pattern}(@{NAME.pattern})?")


class Scenario(Group):
    """A target modality, used at inference, and an auxiliary one, used in training only."""

    target: str
    auxiliary: str

    @property
    def name(self) -> str:
        """Return `target+auxiliary`."""
        return f"{self.target}+{self.auxiliary}"


def modality_of(name: str) -> str:
    """Return the modality of `audio` or `audio@heard`: `audio`."""
    return name.partition("@")[0]


def source_of(name: str) -> str:
    """Return the source of `audio@heard`: `heard`; empty where none is named."""
    return name.partition("@")[2]


def parse_scenario(value: Any) -> Any:
    """Return `target+auxiliary`, or a mapping with these keys, as what `Scenario` is made from.

    Raises:
        ValueError: neither, a name that is not one, or one modality twice.
    """
    if isinstance(value, str):
        target, _, auxiliary = value.partition("+")
        value = {"target": target, "auxiliary": auxiliary}
    if isinstance(value, dict) and value.keys() == {"target", "auxiliary"}:
        names = [str(name) for name in value.values()]
        if all(WHOLE_NAME.fullmatch(name) for name in names) and names[0] != names[1]:
            return value
    raise ValueError(
        "expected target+auxiliary, two modalities such as audio+video (small letters, digits, _; "
        "in layout mixed with their sources, audio@heard+video@seen)"
    )
