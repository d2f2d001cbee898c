"""A trained system as a folder of its own, and the class that reads it and predicts.

`Recogniser` and `RecogniserError` are what a program needs; nothing heavy is imported before they are used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.recogniser.enrolment import Enrolment
    from pipeline.recogniser.error import RecogniserError
    from pipeline.recogniser.recogniser import Recogniser

__all__ = ["Enrolment", "Recogniser", "RecogniserError"]

PLACES = {"Enrolment": "enrolment", "Recogniser": "recogniser", "RecogniserError": "error"}


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
