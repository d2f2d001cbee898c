"""openSMILE's core, fed piece by piece: a signal of any length -> rows, in memory that does not grow with it.

Called by its own Python package, the core keeps the whole signal and every descriptor until the end. Here
the levels in which they lie are rings, and it computes nothing but what is asked for; the numbers are the
same to the last bit. It asks for sound by itself: while it runs, it calls what feeds it.
"""

from __future__ import annotations

import math
import tempfile
import threading
from array import array
from collections.abc import Iterable, Iterator
from ctypes import string_at
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.smile_configuration import ENCODING, configuration, first_summarised
from pipeline.features.audio.smile_joins import joined

PIECE = 0.25
"""Seconds of sound that are given to the core at once."""
RING = 4.0
"""Seconds of sound that the core keeps: pitch is smoothed over half a second, and looked up afterwards."""
FRAMES_HZ = 100
"""Descriptors per second, of all feature sets."""
FRAMES_HEARD = 25
"""Frames after which the core says how far it has computed: the call takes longer than some of them."""
SPARE = 300
"""Frames that rings hold beyond a window: what the smoothing of pitch lags behind, and to spare."""
STARTING = threading.Lock()
"""openSMILE reads its configuration with global state: one at a time."""
LEVELS = {"functionals": "func", "lld_statistics": "lld"}
"""Levels of params.yaml, and what openSMILE's configurations call them."""
SOURCE = """[componentInstances:cComponentManager]
instance[extsource].type=cExternalAudioSource

[extsource:cExternalAudioSource]
writer.dmLevel = wave
writer.levelconf.growDyn = 0
writer.levelconf.isRb = 1
writer.levelconf.nT = {ring}
sampleRate = {rate_hz}
nBits = 16
channels = 1
"""
SINK = """[componentInstances:cComponentManager]
instance[extsink].type=cExternalSink

[extsink:cExternalSink]
reader.dmLevel = {level}
blocksize = 1
"""
HEARD = """[componentInstances:cComponentManager]
instance[heard].type=cExternalSink

[heard:cExternalSink]
reader.dmLevel = {level}
blocksize = {block}
"""
RINGS = "writer.levelconf.growDyn = 0\nwriter.levelconf.isRb = 1\nwriter.levelconf.nT = {frames}\n"


class Heard(NamedTuple):
    """What the core gave. values: (rows, features). start, end: of each row, seconds, (rows,)."""

    values: NDArray[np.float32]
    start: NDArray[np.float64]
    end: NDArray[np.float64]


def open_core(
    feature_set: str,
    level: str,
    rate_hz: int,
    windows: tuple[float, float] | None = None,
    *,
    each_step: bool = False,
) -> Any:
    """Return a core that waits for sound; it is freed by who asked for it.

    level: functionals or lld_statistics. rate_hz: of the sound. windows: length and hop of functionals,
    seconds; None: over the whole. each_step: it says after each `block` of samples that it has listened so
    far; else it says after each FRAMES_HEARD frames that they are computed, some time behind.
    """
    from opensmile.core.lib import OpenSMILE

    path, shared = _configurations(feature_set)
    parts = {
        "source": SOURCE.format(ring=math.ceil(RING * rate_hz), rate_hz=rate_hz),
        "sink": SINK.format(level=LEVELS[level]),
        "bufferModeRbConf": (shared / "BufferModeRb.conf.inc").read_text(encoding=ENCODING),
        "frameModeFunctionalsConf": (shared / "FrameModeFunctionals.conf.inc").read_text(encoding=ENCODING),
    }
    if level == "lld_statistics" or windows is not None:  # over the whole, descriptors are kept to its end
        longest = 0.0 if windows is None else sum(windows)
        parts["bufferModeConf"] = RINGS.format(frames=math.ceil(longest * FRAMES_HZ) + SPARE)
    if windows is not None:
        parts["frameModeFunctionalsConf"] = _frame_mode(*windows)
    text = configuration(path, parts)
    if windows is not None:
        text = joined(text, "extsink", feature_names(feature_set, level))
    if each_step:
        text += HEARD.format(level="wave", block=block(rate_hz))
    else:
        # no sound but frames, since of sound it takes any block at once, long before it has computed it
        frames = LEVELS[level] if level == "lld_statistics" else first_summarised(text)
        text += HEARD.format(level=frames, block=FRAMES_HEARD)
    core = OpenSMILE()
    with STARTING, tempfile.TemporaryDirectory(prefix="emobed-") as folder:
        own = Path(folder) / "lean.conf"
        own.write_text(text, encoding=ENCODING)
        core.initialize(str(own), {}, loglevel=1)
    return core


def block(rate_hz: int) -> int:
    """Return the samples after which a core of each step says how far it has listened: a step of its frames.

    With longer ones it would listen further than it has computed.
    """
    return max(1, rate_hz // FRAMES_HZ)


@lru_cache(maxsize=8)
def feature_names(feature_set: str, level: str) -> tuple[str, ...]:
    """Return what the core calls the values of a row."""
    core = open_core(feature_set, level, 16_000)
    count = core.external_sink_get_num_elements("extsink")
    names = tuple(core.external_sink_get_element_name("extsink", place) for place in range(count))
    core.free()
    return names


def sixteen_bit(signal: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return samples in [-1, 1) as the core takes them: as openSMILE's package does it, not rounded."""
    return (signal * np.float32(32768)).astype(np.int16)


def hear(core: Any, pieces: Iterable[NDArray[np.float32]], rate_hz: int) -> Heard:
    """Let a core hear a signal to its end, and free it.

    pieces: of the signal, in order, (samples,) in [-1, 1). rate_hz: of the signal.

    Raises:
        RuntimeError: the core failed, or took no sound.
        Exception: whatever `pieces` raises.
    """
    return _Hearing(core, pieces, rate_hz).run()


def _frame_mode(window: float, hop: float) -> str:
    return f"frameMode = fixed\nframeSize = {window}\nframeStep = {hop}\nframeCenterSpecial = left\n"


def _configurations(feature_set: str) -> tuple[Path, Path]:
    """Return openSMILE's own configuration of a set, and the folder of what all sets share."""
    import opensmile
    from opensmile.core.config import config

    root = Path(opensmile.core.__file__).parent / config.CONFIG_ROOT
    name = opensmile.FeatureSet[feature_set].value
    return root / f"{name}{config.CONFIG_EXT}", root / "shared"


class _Hearing:
    """One run of a core. What it calls must not raise, since there is C between here and there."""

    def __init__(self, core: Any, pieces: Iterable[NDArray[np.float32]], rate_hz: int) -> None:
        self.core = core
        self.step = max(1, int(PIECE * rate_hz))
        self.blocks = self._blocks(pieces)
        self.waiting = b""
        self.taken = False
        self.ended = False
        self.failed: BaseException | None = None
        self.values = bytearray()
        self.times = array("d")

    def run(self) -> Heard:
        from opensmile.core.lib import ExternalSinkCallbackEx, OpenSmileException, smileapi

        calls = {  # kept as long as C calls them
            b"extsink": ExternalSinkCallbackEx(self._take),
            b"heard": ExternalSinkCallbackEx(self._go_on),
        }
        try:
            features = self.core.external_sink_get_num_elements("extsink")
            for name, call in calls.items():
                smileapi.smile_extsink_set_data_callback_ex(self.core._smileobj, name, call, None)
            self._feed()
            self.core.run()
        except OpenSmileException as error:
            raise RuntimeError(f"openSMILE failed: {error}") from error
        finally:
            self.core.free()
        if self.failed is not None:
            raise self.failed
        start, length = np.frombuffer(self.times, np.float64).reshape(-1, 2).T
        return Heard(np.frombuffer(self.values, np.float32).reshape(-1, features), start, start + length)

    def _blocks(self, pieces: Iterable[NDArray[np.float32]]) -> Iterator[bytes]:
        """Yield blocks of one length, since decoders give shorter ones; the last has what is left."""
        left = b""
        for piece in pieces:
            for begin in range(0, len(piece), self.step):
                left += sixteen_bit(piece[begin : begin + self.step]).tobytes()
                if len(left) >= 2 * self.step:
                    yield left[: 2 * self.step]
                    left = left[2 * self.step :]
        yield left

    def _take(self, data: Any, vectors: int, values: int, about: Any, _: Any) -> int:
        """Keep a row."""
        try:
            self.values += string_at(data, 4 * vectors * values)
            self.times.append(about.contents.time)
            self.times.append(about.contents.lengthSec)
        except BaseException as error:  # noqa: BLE001  (as below: a row that is lost must not go unseen)
            self._fail(error)
        return 1

    def _go_on(self, _data: Any, _vectors: int, _values: int, _about: Any, _: Any) -> int:
        """Give the core more, since it has computed on."""
        try:
            if not self.ended:
                self._feed()
        except BaseException as error:  # noqa: BLE001  (C is between here and who may handle it)
            self._fail(error)
        return 1

    def _fail(self, error: BaseException) -> None:
        self.failed = self.failed or error
        self._end()

    def _feed(self) -> None:
        """Give sound until the core's ring is full, and at the end the end.

        A full ring holds more than what frames lag behind, so that the core will ask again.

        Raises:
            RuntimeError: the core takes none at all.
        """
        while True:
            self.waiting = self.waiting or next(self.blocks, b"")
            if not self.waiting:
                self._end()
                return
            if not self.core.external_audio_source_write_data("extsource", self.waiting):
                if not self.taken:
                    raise RuntimeError("openSMILE takes no sound, though it has been given none")
                return
            self.taken = True
            self.waiting = b""

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            self.core.external_audio_source_set_eoi("extsource")
