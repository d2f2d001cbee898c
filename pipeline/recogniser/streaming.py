"""A recogniser -> the stream that begins with it: of windows as in training, or of utterances of a length."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.recogniser.enrolment import known_of
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.utterance_stream import UtteranceStream
from pipeline.recogniser.window_stream import WindowStream

if TYPE_CHECKING:
    from pipeline.recogniser.recogniser import Recogniser, Speaker
    from pipeline.recogniser.stream import Stream


def stream_of(
    recogniser: Recogniser,
    rate: int | None,
    window: float | None,
    hop: float | None,
    enrolment: Speaker | None,
) -> Stream:
    """Begin with a recording that comes in pieces; arguments and errors: `Recogniser.stream`."""
    grid = recogniser.corpus.grid
    if grid.window is None or grid.hop is None:
        if not grid.utterances:
            raise RecogniserError(
                f"{recogniser.folder}: its features have no windows, so that no stream has them"
            )
        if window is None or hop is None:
            raise RecogniserError(
                f"{recogniser.name}: predicts utterances; expected `window` and `hop`, how long they are "
                "and how far apart, seconds: --window 3 --hop 1, say"
            )
        return UtteranceStream(recogniser, rate, window, hop, enrolment)
    for name, asked, own in (("window", window, grid.window), ("hop", hop, grid.hop)):
        if asked is not None and asked != own:
            raise RecogniserError(
                f"{recogniser.name}: found {name} {asked:g} s, expected {own:g} s, which it was trained with"
            )
    return WindowStream(recogniser, rate, known_of(enrolment, recogniser.models))
