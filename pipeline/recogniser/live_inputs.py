"""Standard input, a microphone or a camera -> pieces of sound or pictures."""

from __future__ import annotations

import queue
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from pipeline.recogniser.live import InputError, Piece

BLOCK = 65_536
"""Bytes that are read at once at most."""
PIECE = 0.05
"""Seconds of a piece of a microphone's sound."""
SILENT = 5.0
"""Seconds without anything from a device after which it is taken to be gone."""
FORMATS = {(1, 16): "<i2", (1, 32): "<i4", (3, 32): "<f4"}
"""Format and bits of a WAV header that are read, and what NumPy calls them."""
EXTENSIBLE = 0xFFFE
UNKNOWN = 0x7FFF_0000
"""Bytes of samples from which a header's number says nothing: programs write the largest that there is."""


class Pcm(NamedTuple):
    """How samples lie in bytes."""

    rate: int
    channels: int
    kind: str


class PipeInput:
    """Samples from a pipe: those that a WAV header announces, or 16 bits, little-endian, channels in turn."""

    waits = True

    def __init__(self, pipe: BinaryIO, rate: int | None, channels: int = 1) -> None:
        """Read the header, if there is one; rate, channels: of what comes without.

        Raises:
            InputError: nothing comes, neither a header nor `rate` says the rate, or they differ.
        """
        self.pipe = pipe
        start = pipe.read(12)
        if not start:
            raise InputError("standard input is empty, expected sound")
        self.left, self.bytes = b"", UNKNOWN
        if start[:4] == b"RIFF" and start[8:] == b"WAVE":
            self.pcm, self.bytes = _header(pipe)
            if rate is not None and rate != self.pcm.rate:
                raise InputError(
                    f"the WAV header says {self.pcm.rate} Hz and --rate {rate}, expected the same, or no "
                    "--rate"
                )
        elif rate is None:
            raise InputError(
                "standard input has no WAV header; expected one, or --rate (and --channels) of 16 bit samples"
            )
        else:
            self.pcm, self.left = Pcm(rate, channels, "<i2"), start
        self.rate: int | None = self.pcm.rate

    def pieces(self) -> Iterator[Piece]:
        """Give samples as they come."""
        width = np.dtype(self.pcm.kind).itemsize * self.pcm.channels
        read = getattr(self.pipe, "read1", self.pipe.read)
        data = self.left
        while True:
            more = read(min(BLOCK, self.bytes))
            self.bytes -= len(more) if self.bytes < UNKNOWN else 0
            data += more
            whole = len(data) - len(data) % width
            if whole:
                samples = np.frombuffer(data[:whole], self.pcm.kind).reshape(-1, self.pcm.channels).T
                yield Piece(time.monotonic(), samples=samples.astype(samples.dtype.newbyteorder("=")))
                data = data[whole:]
            if not more:
                return

    def close(self) -> None:
        """Do nothing: whoever opened the pipe closes it."""


class MicrophoneInput:
    """A microphone, by sounddevice."""

    waits = False

    def __init__(self, device: str | None, rate: int | None, channels: int = 1) -> None:
        """Open it; device: its number or a part of its name, None for the usual one.

        Raises:
            InputError: sounddevice is not installed, or there is no such device.
        """
        try:
            import sounddevice
        except ModuleNotFoundError:
            raise InputError(
                "a microphone needs the package sounddevice: pip install 'emobed[live]'"
            ) from None
        except OSError as error:  # PortAudio, which it loads
            raise InputError(f"a microphone needs the library PortAudio ({error})") from None
        self._queue: queue.Queue[Any] = queue.Queue(4096)
        chosen: Any = int(device) if device is not None and device.isdecimal() else device
        try:
            rate = rate or int(sounddevice.query_devices(chosen, "input")["default_samplerate"])
            self._stream = sounddevice.InputStream(
                samplerate=rate, device=chosen, channels=channels, dtype="int16", callback=self._take,
                blocksize=int(PIECE * rate),
            )  # fmt: skip
            self._stream.start()
        except (sounddevice.PortAudioError, ValueError) as error:
            found = f"'{device}'" if device is not None else "the usual one"
            raise InputError(f"no microphone can be opened ({found}: {error})") from None
        self.rate: int | None = rate

    def pieces(self) -> Iterator[Piece]:
        """Give samples as they come.

        Raises:
            InputError: nothing comes any more.
        """
        while True:
            try:
                piece = self._queue.get(timeout=SILENT)
            except queue.Empty:
                raise InputError(f"the microphone gave nothing for {SILENT:g} s") from None
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        """Stop it."""
        self._stream.close()
        self._queue.put(None)

    def _take(self, samples: Any, frames: int, when: Any, status: Any) -> None:
        """Keep what the device hands over, (frames, channels)."""
        with suppress(queue.Full):  # minutes wait already: the listener that counts what is lost has stopped
            self._queue.put_nowait(Piece(time.monotonic(), samples=samples.T.copy()))


class CameraInput:
    """A camera, by OpenCV."""

    rate: int | None = None
    waits = False

    def __init__(self, device: str | None) -> None:
        """Open it; device: its number, path or URL, None for the first one.

        Raises:
            InputError: there is none.
        """
        import cv2

        self._colours = cv2.COLOR_BGR2RGB
        self._convert = cv2.cvtColor
        chosen: Any = 0 if device is None else int(device) if device.isdecimal() else device
        self._camera = cv2.VideoCapture(chosen)
        if not self._camera.isOpened():
            raise InputError(f"no camera can be opened ({chosen}); expected a number, 0 for the first one")
        self._closed = False

    def pieces(self) -> Iterator[Piece]:
        """Give pictures as they come, timed by the clock on the wall.

        Raises:
            InputError: it gave no picture.
        """
        began: float | None = None
        while not self._closed:
            there, picture = self._camera.read()
            if not there:
                if began is None and not self._closed:
                    raise InputError("the camera gives no picture")
                return
            now = time.monotonic()
            began = now if began is None else began
            yield Piece(
                now, picture=np.asarray(self._convert(picture, self._colours), np.uint8), time=now - began
            )

    def close(self) -> None:
        """Let it go."""
        self._closed = True
        self._camera.release()


def _header(pipe: BinaryIO) -> tuple[Pcm, int]:
    """Read a WAV header up to its samples; returns how these lie, and how many bytes they are.

    Raises:
        InputError: it ends early, or announces samples of another kind.
    """
    found: Pcm | None = None
    while True:
        start = pipe.read(8)
        if len(start) < 8:
            raise InputError("standard input ends within its WAV header")
        name, size = start[:4], struct.unpack("<I", start[4:])[0]
        if name == b"data":
            break
        if size > BLOCK:
            raise InputError(f"a part of {size} bytes stands in the WAV header, expected samples")
        body = pipe.read(size + size % 2)
        if name == b"fmt " and len(body) >= 16:
            form, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
            if form == EXTENSIBLE and len(body) >= 26:
                (form,) = struct.unpack("<H", body[24:26])
            if (form, bits) not in FORMATS or not channels:
                raise InputError(
                    f"the WAV header announces format {form}, {bits} bits and {channels} channels, expected "
                    "PCM of 16 or 32 bits, or floating point of 32"
                )
            found = Pcm(rate, channels, FORMATS[form, bits])
    if found is None:
        raise InputError("the WAV header does not say how samples lie (no part `fmt `)")
    # whoever writes into a pipe does not know how much will come
    return found, size if 0 < size < UNKNOWN else UNKNOWN
