"""A device or pipe -> one JSON line for each row, as soon as it is known.

A thread listens, and what it heard waits in a queue that holds a few hops. Where predicting is too slow for
a device, samples become silence and pictures are left out, so that times stay right, and that is said; a pipe
waits.
"""

from __future__ import annotations

import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TextIO

import numpy as np
from numpy.typing import NDArray

from pipeline.recogniser.stream import Stream, StreamRow

WAITING = 64
"""Pieces of sound or pictures that may wait: some 3 s."""
AGAIN = 10.0
"""Seconds after which falling behind is said again."""


class Piece(NamedTuple):
    """What came: samples (channels, samples), or a picture and its time, seconds.

    at: when, by `time.monotonic`.
    """

    at: float
    samples: NDArray[Any] | None = None
    picture: NDArray[np.uint8] | None = None
    time: float = 0.0


class Input(Protocol):
    """A device or pipe.

    rate: of its sound, Hz; None for pictures. waits: whether it can wait for whoever listens.
    """

    rate: int | None
    waits: bool

    def pieces(self) -> Iterator[Piece]:
        """Give what comes, until it ends.

        Raises:
            InputError: it cannot be read.
        """

    def close(self) -> None:
        """Stop listening."""


class InputError(ValueError):
    """Report a device or pipe that cannot be listened to: what was found, what would be right."""


class OutputError(ValueError):
    """Report lines that could not be written: why."""


@dataclass
class Listener:
    """Listens in a thread of its own.

    lost: seconds of sound, or pictures, that were left out since they were last asked for.
    """

    source: Input
    lost: float = 0.0
    _queue: queue.Queue[Piece | BaseException | None] = field(default_factory=lambda: queue.Queue(WAITING))
    _silence: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Begin to listen."""
        threading.Thread(target=self._listen, daemon=True).start()

    def pieces(self) -> Iterator[Piece]:
        """Give what was heard, in order.

        Raises:
            InputError: it could not be heard.
        """
        while (piece := self._queue.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        self.source.close()

    def _listen(self) -> None:
        try:
            for piece in self.source.pieces():
                if self._ended.is_set():
                    return
                self._put(piece)
        except (InputError, OSError) as error:
            self._last(error)
            return
        self._last(None)

    def _put(self, piece: Piece) -> None:
        if self._silence and piece.samples is not None:
            # what was lost is silence, so that times stay right
            silence = np.zeros((len(piece.samples), self._silence), piece.samples.dtype)
            piece = piece._replace(samples=np.concatenate([silence, piece.samples], axis=1))
        if self.source.waits:
            self._waiting(piece)
            return
        try:
            self._queue.put_nowait(piece)
            self._silence = 0
        except queue.Full:
            if piece.samples is not None:
                new = piece.samples.shape[1] - self._silence
                self._silence += new
                self.lost += new / (self.source.rate or 1)
            else:
                self.lost += 1

    def _waiting(self, piece: Piece) -> None:
        while not self._ended.is_set():
            try:
                self._queue.put(piece, timeout=0.2)
            except queue.Full:
                continue
            return

    def _last(self, ending: BaseException | None) -> None:
        while not self._ended.is_set():
            try:
                self._queue.put(ending, timeout=0.2)
            except queue.Full:
                continue
            return


def predict_live(
    streams: Mapping[str, Stream],
    source: Input,
    out: TextIO,
    say: Callable[[str], None],
    hop: float,
) -> int:
    """Write a line for each row of each stream until the source ends; return how many.

    streams: by the name that the lines carry. hop: seconds; falling further behind is said (`say`). Whoever
    interrupts or closes `out` ends it: KeyboardInterrupt and BrokenPipeError pass through.

    Raises:
        InputError: the source cannot be read.
        MediaError: what came cannot be used, or is shorter than a window.
        OutputError: `out` cannot be written, such as on a disk that is full.
    """
    listener = Listener(source)
    written, said = 0, -math.inf
    began, given = math.inf, 0.0
    try:
        for piece in listener.pieces():
            began, lines = min(began, piece.at), list[str]()
            for name, stream in streams.items():
                rows = _pushed(stream, piece)
                behind = time.monotonic() - piece.at
                lines += [line(name, row, behind) for row in rows]
            _print(out, lines)
            written += len(lines)
            behind = time.monotonic() - piece.at
            if source.waits:
                # a pipe may give a recording faster than it lasts, and waits then: nobody is late
                given += _length(piece, source.rate)
                behind = min(behind, time.monotonic() - began - given)
            if (behind > hop or listener.lost) and time.monotonic() - said > AGAIN:
                say(_late(behind, listener.lost, source.rate is not None))
                listener.lost, said = 0.0, time.monotonic()
        for name, stream in streams.items():
            lines = [line(name, row, 0.0) for row in stream.finish()]
            _print(out, lines)
            written += len(lines)
    finally:
        listener.close()
        for stream in streams.values():
            stream.close()
    return written


def _print(out: TextIO, lines: Sequence[str]) -> None:
    """Write lines at once.

    Raises:
        OutputError: that cannot be done.
        BrokenPipeError: whoever read has gone.
    """
    try:
        out.write("".join(lines))
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"the rows cannot be printed ({error.strerror})") from None


def line(name: str, row: StreamRow, behind: float) -> str:
    """Return the line of a row.

    behind: seconds from when the last piece came to now, by the clock on the wall.
    """
    values = {"recogniser": name, "start": row.start, "end": row.end, "delay": row.delay, "behind": behind}
    return json.dumps({key: _plain(value) for key, value in {**values, **row.columns}.items()}) + "\n"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: no number is null, and six digits are enough."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    return value


def _pushed(stream: Stream, piece: Piece) -> list[StreamRow]:
    if piece.samples is not None:
        return stream.push(piece.samples)
    assert piece.picture is not None, "a piece has samples or a picture"
    return stream.push_frame(piece.picture, piece.time)


def _length(piece: Piece, rate: int | None) -> float:
    """Return how many seconds of sound a piece holds."""
    return 0.0 if piece.samples is None or rate is None else piece.samples.shape[1] / rate


def _late(behind: float, lost: float, sound: bool) -> str:
    gone = ""
    if lost:
        what = f"{lost:.1f} s of sound became silence" if sound else f"{lost:.0f} pictures were left out"
        gone = f"; {what}"
    return f"falls behind by {behind:.1f} s{gone}: this machine is too slow for it, or busy"
