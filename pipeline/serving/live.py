"""A web socket with sound -> predictions as they become known.

The client asks for `/live?rate=48000` and sends binary messages, samples as little-endian float32 in [-1, 1],
one channel. It gets JSON: `{"predictions": [...]}` with the rows that are new, as those of `/predict`. The
text `end` ends the recording: what is left comes, and the socket is closed. `{"error": ...}` comes before a
close that the server wants.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
from fastapi import WebSocket, WebSocketDisconnect
from numpy.typing import NDArray

from pipeline.features.media.opening import MediaError
from pipeline.recogniser.error import RecogniserError
from pipeline.serving.answers import Predicted
from pipeline.serving.limits import RATES_HZ, Limits
from pipeline.serving.served import Served

END = "end"
NORMAL, WRONG, BUSY = 1000, 1003, 1013
"""Codes with which a web socket is closed."""


class _RefusedError(Exception):
    """What a client does that ends its session: a sentence, and the code of the close."""

    def __init__(self, sentence: str, code: int = WRONG) -> None:
        super().__init__(sentence)
        self.code = code


async def session(socket: WebSocket, served: Served, limits: Limits) -> float:
    """Predict what comes until the client or a limit ends it; return the seconds of sound."""
    stream, length = None, 0.0
    try:
        rate_hz = _rate(socket.query_params.get("rate"))
        stream = await asyncio.to_thread(served.stream, rate_hz)
        while (samples := await _samples(socket, limits)) is not None:
            length += len(samples) / rate_hz
            await _say(socket, await asyncio.to_thread(stream.push, samples))
            if length > limits.length:
                raise _RefusedError(f"longer than {limits.length:g} s, the end of a live session", NORMAL)
        await _say(socket, await asyncio.to_thread(stream.finish))
        await socket.close(NORMAL)
    except WebSocketDisconnect:
        pass
    except (_RefusedError, MediaError, RecogniserError) as error:
        await socket.send_json({"error": str(error)})
        await socket.close(error.code if isinstance(error, _RefusedError) else NORMAL)
    finally:
        if stream is not None:
            await asyncio.to_thread(stream.close)
    return length


def _rate(given: str | None) -> int:
    lowest, highest = RATES_HZ
    if given is None or not given.isascii() or not given.isdecimal() or not lowest <= int(given) <= highest:
        raise _RefusedError(
            f"rate: expected the samples per second, {lowest} to {highest}, such as ?rate=48000"
        )
    return int(given)


async def _samples(socket: WebSocket, limits: Limits) -> NDArray[np.float32] | None:
    """Wait for the next samples, (samples,); None at the end."""
    try:
        message = await asyncio.wait_for(socket.receive(), limits.silence)
    except TimeoutError:
        raise _RefusedError(f"nothing came for {limits.silence:g} s", NORMAL) from None
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", NORMAL))
    text, data = message.get("text"), message.get("bytes")
    if text == END:
        return None
    if text is not None or data is None or len(data) % 4:
        raise _RefusedError(f"expected samples as float32, or the text '{END}'")
    samples = np.frombuffer(data, "<f4").astype(np.float32)
    if not np.isfinite(samples).all():
        raise _RefusedError("expected finite samples in [-1, 1]")
    return samples.clip(-1.0, 1.0)


async def _say(socket: WebSocket, found: Sequence[Predicted]) -> None:
    new = [each.model_dump() for each in found if each.rows or each.error]
    if new:
        await socket.send_json({"predictions": new})
