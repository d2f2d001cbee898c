"""Emotion recognisers that learned from several modalities and need one of them when used.

What is here is public and stays; `pipeline`, where it is made, is the library's own room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.recogniser import Recogniser, RecogniserError

__all__ = ("Recogniser", "RecogniserError", "__version__")

__version__: str


if not TYPE_CHECKING:  # `import emobed` waits for nothing

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("emobed")
        if name in __all__:
            from pipeline import recogniser

            return getattr(recogniser, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
