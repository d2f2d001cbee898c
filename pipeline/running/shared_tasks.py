"""Tasks of which several need the same thing, which travels once."""

from __future__ import annotations

from typing import Any, NamedTuple


class Shared:
    """Something that several tasks need: each worker of a cluster gets it once, while it is held here."""

    def __init__(self, value: Any) -> None:
        """Hold a value."""
        self.value = value


class Piece(NamedTuple):
    """A task that shares something with some of the others: `function(*common, shared.value, own)`."""

    shared: Shared
    own: Any


def arguments_of(task: Any) -> tuple[Any, ...]:
    """Return what a function is called with for a task, after what is common to all."""
    return (task.shared.value, task.own) if isinstance(task, Piece) else (task,)
