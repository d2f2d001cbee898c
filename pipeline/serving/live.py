"""A web socket with sound and pictures -> predictions as they become known.

The client asks for `/live?rate=48000` and sends binary messages, samples as little-endian float32 in [-1, 1],
one channel; for `/live?pictures=yes` (with or without a rate) the text `{"picture": 1.25}`, its time in
seconds, and then the picture as JPEG. It gets JSON: `{"predictions": [...]}` with the rows that are new, as
those of `/predict`, and after each picture `{"seen": 1.25}`: whoever waits for it never sends more than
can be looked at. The text `end` ends the recording: what is left comes, and the socket is closed.
`{"error": ...}` comes before a close that the server wants.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError
from pipeline.recogniser.error import RecogniserError
from pipeline.serving.answers import Predicted
from pipeline.serving.limits import PICTURES_HZ, RATES_HZ, Limits
from pipeline.serving.pictures import PictureError, picture_of
from pipeline.serving.served import Served, Stream

END = "end"
PICTURE = "picture"
SAID = 200
"""Characters of a text message, at most."""
NORMAL, WRONG, BUSY = 1000, 1003, 1013
"""Codes with which a web socket is closed."""


class _RefusedError(Exception):
    """What a client does that ends its session: a sentence, and the code of the close."""

    def __init__(self, sentence: str, code: int = WRONG) -> None:
        super().__init__(sentence)
        self.code = code


async def session(socket: WebSocket, served: Served, limits: Limits) -> float:
    """Predict what comes until the client or a limit ends it; return its seconds."""
    thread = ThreadPoolExecutor(1)  # of its own: streams go on in the one in which they began
    one = _Session(socket, limits, thread)
    try:
        code = NORMAL
        try:
            await one.predict(served)
        except (_RefusedError, MediaError, PictureError, RecogniserError) as error:
            await socket.send_json({"error": str(error)})
            code = error.code if isinstance(error, _RefusedError) else NORMAL
        await socket.close(code)
    except WebSocketDisconnect:  # wherever it was: there is nobody any more
        pass
    finally:
        if one.stream is not None:
            thread.submit(one.stream.close)  # not awaited: also where the session is cancelled
        thread.shutdown(wait=False)
    return one.length


@dataclass
class _Session:
    """What came so far. rate_hz: of the sound. heard, seen: seconds. pictures: how many.

    begun: when, by `monotonic`: a client that sends next to nothing does not keep its place for ever.
    """

    socket: WebSocket
    limits: Limits
    thread: ThreadPoolExecutor
    rate_hz: int | None = None
    stream: Stream | None = None
    heard: float = 0.0
    seen: float = 0.0
    pictures: int = 0
    begun: float = field(default_factory=monotonic)

    @property
    def length(self) -> float:
        """Return the seconds of sound, or of pictures."""
        return max(self.heard, self.seen)

    async def apart(self, function: Any, *given: Any) -> Any:
        """Call a function in the session's thread."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, partial(function, *given))

    async def predict(self, served: Served) -> None:
        """Predict what comes until its end.

        Raises:
            WebSocketDisconnect: the client went away.
            _RefusedError, MediaError, PictureError, RecogniserError: it cannot go on.
        """
        asked = self.socket.query_params
        with_pictures = asked.get("pictures") == "yes"
        if asked.get("rate") is not None or not with_pictures:
            self.rate_hz = _rate(asked.get("rate"))
        self.stream = stream = await self.apart(served.stream, self.rate_hz, with_pictures)
        while (message := await self._message()) != END:
            if isinstance(message, bytes):
                await self._hear(stream, message)
            elif with_pictures:
                await self._see(stream, _time(message))
            else:
                raise _RefusedError(f"expected samples as float32, or the text '{END}'")
            if self.length > self.limits.length:
                raise _RefusedError(_too_long(self.limits), NORMAL)
        await self._say(await self.apart(stream.finish))

    async def _hear(self, stream: Stream, data: bytes) -> None:
        samples = _samples(data)
        if self.rate_hz is None:
            raise _RefusedError("found sound, expected pictures alone; ?rate=48000&pictures=yes takes both")
        self.heard += len(samples) / self.rate_hz
        await self._say(await self.apart(stream.push, samples))

    async def _see(self, stream: Stream, time: float) -> None:
        self.pictures += 1
        if self.pictures > PICTURES_HZ * (1 + time):
            raise _RefusedError(f"more than {PICTURES_HZ} pictures per second")
        data = await self._message()
        if not isinstance(data, bytes):
            raise _RefusedError("expected a JPEG after its time")
        self.seen = max(self.seen, time)
        picture = await self.apart(picture_of, data)
        await self._say(await self.apart(stream.push_frame, picture, time))
        await self.socket.send_json({"seen": time})

    async def _message(self) -> bytes | str:
        """Wait for the next message.

        Raises:
            WebSocketDisconnect: the client went away.
            _RefusedError: nothing comes; or messages do, but what is in them does not fill the time.
        """
        left = self.begun + self.limits.length + self.limits.silence - monotonic()
        try:
            message = await asyncio.wait_for(self.socket.receive(), max(0.0, min(left, self.limits.silence)))
        except TimeoutError:
            if left < self.limits.silence:
                raise _RefusedError(_too_long(self.limits), NORMAL) from None
            raise _RefusedError(f"nothing came for {self.limits.silence:g} s", NORMAL) from None
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", NORMAL))
        text, data = message.get("text"), message.get("bytes")
        return (data or b"") if text is None else text

    async def _say(self, found: Sequence[Predicted]) -> None:
        new = [each.model_dump() for each in found if each.rows or each.error]
        if new:
            await self.socket.send_json({"predictions": new})


def _too_long(limits: Limits) -> str:
    return f"longer than {limits.length:g} s, the end of a live session"


def _rate(given: str | None) -> int:
    lowest, highest = RATES_HZ
    plain = given is not None and given.isascii() and given.isdecimal() and len(given) <= len(str(highest))
    if given is None or not plain or not lowest <= int(given) <= highest:
        raise _RefusedError(
            f"rate: expected the samples per second, {lowest} to {highest}, such as ?rate=48000"
        )
    return int(given)


def _samples(data: bytes) -> NDArray[np.float32]:
    if len(data) % 4:
        raise _RefusedError(f"expected samples as float32, or the text '{END}'")
    samples = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(samples).all():
        raise _RefusedError("expected finite samples in [-1, 1]")
    return samples.clip(-1.0, 1.0)


def _time(text: str) -> float:
    """Return the time of the picture that comes next, seconds."""
    try:
        found = json.loads(text) if len(text) <= SAID else None
    except ValueError:
        found = None
    time = found.get(PICTURE) if isinstance(found, dict) else None
    if isinstance(time, bool) or not isinstance(time, int | float) or not 0 <= time < math.inf:
        raise _RefusedError(f"expected {{\"{PICTURE}\": 1.25}}, the time of a JPEG that follows, or '{END}'")
    return float(time)
