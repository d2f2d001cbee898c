"""Emotion recognisers that learned from several modalities and need one of them when used.

A recogniser is a folder that the pipeline wrote. It predicts files, per label time or as a whole:

    >>> from emobed import Recogniser
    >>> arousal = Recogniser.load("recognisers/audio+video.arousal")
    >>> arousal.dimension, arousal.task, arousal.needed
    ('arousal', 'regression', ('audio',))
    >>> table = arousal.predict("speech.wav")
    >>> list(table.index.names), len(table)
    (['file', 'start', 'end'], 31)
    >>> table["arousal"].abs().max() < 1
    np.True_

Of classes it gives the name of the most probable one, and the probability of each:

    >>> emotion = Recogniser.load("recognisers/audio+video.emotion")
    >>> emotion.classes
    ('anger', 'joy', 'neutral', 'sadness')
    >>> row = emotion.predict("speech.wav").iloc[0]
    >>> row["emotion"] in emotion.classes
    True
    >>> round(sum(row[f"emotion.{name}"] for name in emotion.classes), 3)
    np.float64(1.0)

What cannot be used is said in one sentence:

    >>> from emobed import RecogniserError
    >>> try:
    ...     Recogniser.load("speech.wav")
    ... except RecogniserError as error:
    ...     print(error)
    speech.wav: a file, expected a recogniser, a folder that the stage export wrote, ...

What is here is public and stays; `pipeline`, where it is made, is the library's own room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.recogniser import Enrolment, Recogniser, RecogniserError

__all__ = ("Enrolment", "Recogniser", "RecogniserError", "__version__")

__version__: str


if not TYPE_CHECKING:  # `import emobed` waits for nothing

    def __getattr__(name: str) -> Any:
        """Import a public name when it is first asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version(__name__)
        if name in __all__:
            from pipeline import recogniser

            return getattr(recogniser, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

    def __dir__() -> list[str]:
        """Return the public names, imported or not."""
        return sorted({*globals(), *__all__})
