"""Waveform -> what an ONNX network of the user's makes of it, per window or utterance.

The network is given one piece of sound at a time, never more than `piece` seconds, so that a recording of
any length takes the network's memory for one piece; `shared` holds the frames of the recording as well.
What it gives for a piece is a vector, or frames (frames, values) that are averaged. Windows that overlap
(`each`) are heard window / hop times; `shared` pieces are heard once.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.sound import Sound, read_sound, require_window
from pipeline.features.extractor import Given, Looked, MediumExtractor, NotReadyError, Reads
from pipeline.features.grid import windows_or_whole
from pipeline.features.media.damage import require_whole
from pipeline.features.media.opening import MediaError
from pipeline.features.networks.onnx_file import network_sha256, read_onnx
from pipeline.features.networks.onnx_network import NetworkError, OnnxNetwork, tried
from pipeline.features.pooling.window_moments import members, moments
from pipeline.location import Location
from pipeline.params import Audio, Corpus, Grid
from pipeline.params.features import OnnxWaveform
from pipeline.store.damage import Damage
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)

VERSION = 1
"""Raised whenever the same recording gets other numbers, be it in the last bit."""
AT_ONCE = 64
"""Values of a network whose means over windows are taken together."""
LEAST_VARIANCE = 1e-7
"""Added to the variance of a piece that is standardised, as wav2vec 2.0's own feature extractor does."""

Array = NDArray[np.float32]


class Listener:
    """A network of an ONNX file that hears one piece of sound at a time."""

    def __init__(self, path: Path, parameters: OnnxWaveform) -> None:
        """Load the network.

        Raises:
            NotReadyError: its input is no waveform.
        """
        file = read_onnx(path, parameters.output)
        # (samples), (1, samples) or (1, channels, samples)
        before = file.axes[:-1]
        if not 1 <= len(file.axes) <= 3 or not all(axis.takes(1) for axis in before):
            raise NotReadyError(
                f"{path}: its input '{file.input}' is {file.shape or 'one number'}, expected a waveform: "
                "1 x any or 1 x 1 x any"
            )
        self.samples = file.axes[-1]
        self._shape = (1,) * len(before)
        self._standardise = parameters.standardise
        self.file = file
        self.network = OnnxNetwork(file)

    def hear(self, signal: Array) -> Array:
        """Return what the network makes of a piece, (frames, values); one frame if it gives a vector.

        signal: (samples,).

        Raises:
            NetworkError: the network cannot be run on it, or gives neither frames nor a vector.
        """
        if self._standardise:
            spread = np.sqrt(signal.var(dtype=np.float64) + LEAST_VARIANCE)
            signal = ((signal - signal.mean(dtype=np.float64)) / spread).astype(np.float32)
        found = self.network.run(np.ascontiguousarray(signal).reshape(*self._shape, -1))
        if found.ndim == 3 and len(found) == 1:
            found = found[0]
        if found.ndim < 2:
            found = found.reshape(1, -1)
        if found.ndim != 2 or not found.size:
            shape = " x ".join(map(str, found.shape))
            raise NetworkError(
                f"its output '{self.file.output}' is {shape}, expected 1 x frames x values or 1 x values"
            )
        return found


@dataclass(frozen=True)
class OnnxWaveforms(MediumExtractor):
    """The user's network, with the parameters of a corpus."""

    audio: Audio
    grid: Grid

    reads = Reads(medium="audio")

    @property
    def onnx(self) -> OnnxWaveform:
        """Return its parameters, which the network requires."""
        assert self.audio.onnx is not None, "refused with the parameters"
        return self.audio.onnx

    @property
    def rate_hz(self) -> int:
        """Return the sampling rate that the network was made for."""
        return int(self.audio.sampling_rate_hz)

    @property
    def emotion_trained(self) -> bool:
        """Say what the user says of the network."""
        return self.onnx.emotion_trained

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the medium that the features of a recording depend on.

        Raises:
            NotReadyError: no such file.
        """
        return {
            "extractor": "onnx",
            "version": VERSION,
            "weights": network_sha256(Path(self.onnx.file)),
            "sampling_rate_hz": self.audio.sampling_rate_hz,
            "grid": self.grid.fingerprint(),
            **self.onnx.model_dump(exclude={"file", "emotion_trained"}),
        }

    def require(self, root: Path) -> None:
        """Refuse a file that cannot be used with these parameters, and try it on noise."""
        path = root / self.onnx.file
        tried(_try, (path, self), path)

    def extract(self, given: Given, device: str) -> Rows:
        """Return one row per label time, or one row for an utterance.

        Raises:
            MediaError: no such file, not media, no sound stream, shorter than a window, or too short for the
                network.
        """
        path = given.path
        sound = read_sound(path, self.rate_hz) if given.sound is None else given.sound
        for note in (sound.damage.words, *sound.notes):
            if note:
                logger.warning("%s: %s", path, note)
        require_window(path, sound.duration, self.grid.window)
        start, end = windows_or_whole(sound.duration, self.grid)
        try:
            values = self.heard(self.listener(), sound, start, end)
        except NetworkError as error:
            raise MediaError(f"{path}: {self.onnx.file} cannot be run on its sound: {error}") from None
        names = tuple(f"onnx_{i:04d}" for i in range(values.shape[1]))
        return Rows(start, end, values, np.asarray(np.isfinite(values).all(axis=1)), names, sound.damage)

    def listener(self) -> Listener:
        """Return the network, kept from one recording to the next.

        Raises:
            NotReadyError: its file cannot be used.
        """
        return _listener(Path(self.onnx.file), self.onnx)

    def heard(
        self, listener: Listener, sound: Sound, start: NDArray[np.float64], end: NDArray[np.float64]
    ) -> Array:
        """Return the features of windows, (windows, values).

        start, end: seconds, (windows,) each.
        """
        if self.onnx.windows == "shared":
            return self._shared(listener, sound, start, end)
        length = np.rint((end - start) * sound.rate_hz).astype(int)
        # where windows are no whole number of samples, the last one would end a sample late
        first = np.minimum(np.rint(start * sound.rate_hz).astype(int), len(sound.signal) - length)
        return np.stack(
            [self._mean(listener, sound.signal[a : a + n]) for a, n in zip(first, length, strict=True)]
        )

    def _mean(self, listener: Listener, signal: Array) -> Array:
        """Return the mean over all frames of a window that is heard in pieces, (values,)."""
        total, count = 0.0, 0
        for piece in self._pieces(signal):
            frames = listener.hear(piece)
            total, count = total + frames.sum(axis=0, dtype=np.float64), count + len(frames)
        return np.asarray(total / count, np.float32)

    def _shared(
        self, listener: Listener, sound: Sound, start: NDArray[np.float64], end: NDArray[np.float64]
    ) -> Array:
        """Hear the recording once, and average over each window the frames whose middle lies in it."""
        frames, middles, begin = [], [], 0
        for piece in self._pieces(sound.signal):
            found = listener.hear(piece)
            places = (np.arange(len(found)) + 0.5) / len(found)
            frames.append(found)
            middles.append((begin + places * len(piece)) / sound.rate_hz)
            begin += len(piece)
        heard, own = np.concatenate(frames), members(np.concatenate(middles), start, end)
        # some values of all frames at a time: `moments` takes several times the memory of what it is given
        parts = (moments(heard[:, k : k + AT_ONCE], *own)[0] for k in range(0, heard.shape[1], AT_ONCE))
        return np.concatenate([part.astype(np.float32) for part in parts], axis=1)

    def _pieces(self, signal: Array) -> list[Array]:
        """Divide a signal into as few pieces of equal length as keep to `piece`."""
        count = max(1, math.ceil(len(signal) / round(self.onnx.piece * self.rate_hz)))
        return np.array_split(signal, count)

    def look(self, path: Location) -> Looked:
        """Decode the sound and lay it."""
        sound = read_sound(path, self.rate_hz)
        return Looked(sound.duration, sound.damage, list(sound.notes), sound.rate_hz)

    def check_damage(self, path: Location, damage: Damage) -> None:
        """Refuse sound of which too much is missing."""
        require_whole(path, damage, self.audio.max_damaged_share, "audio.max_damaged_share")


@lru_cache(maxsize=1)
def _listener(path: Path, parameters: OnnxWaveform) -> Listener:
    return Listener(path, parameters)


def _try(subject: tuple[Path, OnnxWaveforms]) -> None:
    """Let the network hear a piece of noise as long as it will be given.

    Raises:
        NotReadyError: it cannot be run, wants another length, or gives no frames where frames are needed.
    """
    path, extractor = subject
    listener = Listener(path, extractor.onnx)
    seconds = extractor.onnx.piece
    if extractor.onnx.windows == "each" and extractor.grid.window is not None:
        seconds = extractor.grid.window / math.ceil(extractor.grid.window / seconds)
    samples = round(seconds * extractor.rate_hz)
    fixed = extractor.grid.utterances or extractor.onnx.windows == "shared"
    if not listener.samples.takes(samples) or (fixed and listener.samples.length is not None):
        wanted = "any number" if fixed else f"any number, or {samples} ({seconds:g} s)"
        raise NotReadyError(
            f"{path}: its input '{listener.file.input}' takes {listener.samples} samples, expected {wanted}: "
            "export it with a dynamic axis"
        )
    noise = np.random.default_rng(0).normal(0, 0.1, samples).astype(np.float32)
    try:
        heard = listener.hear(noise)
        # recordings have any length, and all the same features
        less = listener.hear(noise[: 3 * samples // 4]) if fixed else heard
    except NetworkError as error:
        raise NotReadyError(f"{path}: cannot be run on {seconds:g} s of noise: {error}") from None
    if not np.isfinite(heard).all():
        raise NotReadyError(f"{path}: gives values that are not finite for {seconds:g} s of noise")
    frames, values = heard.shape
    if less.shape[1] != values:
        raise NotReadyError(
            f"{path}: gives {values} values for {seconds:g} s and {less.shape[1]} for {0.75 * seconds:g} s, "
            "expected the same number for any length: frames x values, not values x frames"
        )
    if extractor.onnx.windows == "shared" and frames == 1:
        raise NotReadyError(
            f"{path}: gives one vector for {seconds:g} s, so that audio.onnx.windows shared has no frames to "
            "average over windows; set it to each"
        )


def extractor(corpus: Corpus) -> OnnxWaveforms:
    """Return the extractor with a corpus' parameters."""
    return OnnxWaveforms(corpus.audio, corpus.grid)
