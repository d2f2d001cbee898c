"""openSMILE's core, fed as sound comes: the core of extraction, whose rows are the same to the last bit.

The core waits for sound in a thread of its own.
"""

from __future__ import annotations

import threading
import weakref
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.smile import PIECE, block, open_core, sixteen_bit
from pipeline.params import Audio

MOMENT = 0.002
"""Seconds after which the core is looked after."""
PATIENCE = 60.0
"""Seconds without progress after which the core is taken to hang."""


class Frame(NamedTuple):
    """What the core gives: functionals of a window, or descriptors of a frame; start, length: seconds."""

    values: NDArray[np.float32]
    start: float
    length: float


class SmileCore:
    """A running core.

    rate_hz: of the sound. windows: length and hop of functionals, seconds; None: for descriptors.
    """

    def __init__(self, audio: Audio, rate_hz: int, windows: tuple[float, float] | None) -> None:
        """Start the core and its thread."""
        self.rate_hz = rate_hz
        self._block = block(rate_hz)
        self._ears = _Ears()
        self._written = 0
        self._idle = 0.0
        self._failed: list[BaseException] = []
        core = open_core(audio.feature_set, audio.level, rate_hz, windows, each_step=True)
        core.external_sink_set_callback_ex("extsink", self._ears.take)
        core.external_sink_set_callback_ex("heard", self._ears.listen)
        self._core = core
        self._thread = threading.Thread(target=_run, args=(core, self._failed), daemon=True)
        self._thread.start()
        self.close = weakref.finalize(self, _end, core, self._thread)

    def push(self, signal: NDArray[np.float32]) -> list[Frame]:
        """Let the core hear samples, (samples,) in [-1, 1), and return the frames that are finished.

        Raises:
            RuntimeError: the core stopped, or hangs.
        """
        whole = sixteen_bit(signal)
        step = int(PIECE * self.rate_hz)
        for begin in range(0, len(whole), step):
            piece = whole[begin : begin + step]
            data = piece.tobytes()
            while not self._core.external_audio_source_write_data("extsource", data):
                self._wait()
            self._written += len(piece)
            while self._ears.heard <= self._written - self._block:
                self._wait()
        return self._ears.taken()

    def finish(self) -> list[Frame]:
        """Tell the core that no more comes, and return the frames that are left.

        Raises:
            RuntimeError: the core failed.
        """
        self._core.external_audio_source_set_eoi("extsource")
        self._thread.join()
        self._require_no_failure()
        self.close()
        return self._ears.taken()

    def _wait(self) -> None:
        """Wait until the core has listened on, or a moment."""
        if self._ears.progress.wait(MOMENT):
            self._ears.progress.clear()
            self._idle = 0.0
            return
        self._require_no_failure()
        self._idle += MOMENT
        if not self._thread.is_alive() or self._idle > PATIENCE:
            raise RuntimeError(
                "openSMILE stopped before the stream's end"
                if self._idle <= PATIENCE
                else f"openSMILE took no sound for {PATIENCE:g} s"
            )

    def _require_no_failure(self) -> None:
        if self._failed:
            raise RuntimeError(f"openSMILE failed in a stream: {self._failed[0]}") from self._failed[0]


class _Ears:
    """What the core reports. It knows nothing of the stream, so that one that is dropped can be freed."""

    def __init__(self) -> None:
        self.found: list[Frame] = []
        self.heard = 0
        self.progress = threading.Event()

    def take(self, data: NDArray[np.float32], about: Any) -> None:
        """Keep a frame."""
        self.found.append(Frame(data.reshape(-1).astype(np.float32), about.time, about.lengthSec))

    def listen(self, data: NDArray[np.float32], about: Any) -> None:
        """Note that the core has listened on."""
        self.heard += data.size
        self.progress.set()

    def taken(self) -> list[Frame]:
        """Return the frames since the last call."""
        count = len(self.found)
        taken, self.found[:count] = self.found[:count], []
        return taken


def _run(core: Any, failed: list[BaseException]) -> None:
    """Run the core to its end; what goes wrong is told to whoever pushes."""
    from opensmile.core.lib import OpenSmileException

    try:
        core.run()
    except OpenSmileException as error:
        failed.append(error)


def _end(core: Any, thread: threading.Thread) -> None:
    """End the core and free it; one that has not begun to run, or has just ended, cannot be aborted."""
    from opensmile.core.lib import OpenSmileException

    while thread.is_alive():
        with suppress(OpenSmileException):
            core.abort()
        thread.join(MOMENT)
    core.free()
