"""A waveform as it comes -> the rows of openSMILE, or of a network of the user's, as extraction has them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.functionals import OpenSmile, functionals_of_whole
from pipeline.features.audio.onnx_waveform import OnnxWaveforms
from pipeline.features.audio.smile import feature_names
from pipeline.features.audio.sound import Sound, require_sound
from pipeline.features.grid import windows_or_whole
from pipeline.features.media.opening import MediaError
from pipeline.features.streams.row_stream import (
    STREAM,
    NotStreamedError,
    Places,
    SoundRows,
    WindowMoments,
    require_length,
)
from pipeline.features.streams.smile_core import Frame, SmileCore
from pipeline.params import Corpus
from pipeline.store.rows import Rows


def sound_rows(corpus: Corpus, rate_hz: int) -> SoundRows:
    """Return the stream of rows that a corpus' parameters ask for; rate_hz: of the waveform.

    Raises:
        NotStreamedError: the features depend on the whole recording.
        NotReadyError: a network's file cannot be used.
    """
    from pipeline.features.extractor import extractor_of

    extractor = extractor_of("extract_audio", corpus)
    if isinstance(extractor, OnnxWaveforms):
        return WaveformRows(extractor, rate_hz)
    assert isinstance(extractor, OpenSmile)
    if corpus.audio.feature_set == "emobase":
        raise NotStreamedError(
            "audio.feature_set is emobase, whose configuration keeps all descriptors: a stream would take "
            "300 MB an hour; expected another set"
        )
    kind = FunctionalRows if corpus.audio.level == "functionals" else DescriptorRows
    return kind(extractor, rate_hz)


class FunctionalRows:
    """Functionals of windows, which the core cuts itself."""

    def __init__(self, extractor: OpenSmile, rate_hz: int) -> None:
        """Start the core."""
        self.grid = extractor.grid
        self.places = Places(self.grid)
        self.names = feature_names(extractor.audio.feature_set, "functionals")
        self.core = SmileCore(extractor.audio, rate_hz, (self.places.window, self.places.hop))
        self.rate_hz = rate_hz
        self.samples = 0
        self.kept: dict[int, NDArray[np.float32]] = {}
        self.computed = 0
        self.audio = extractor.audio
        self.heard: list[NDArray[np.float32]] = []
        """The sound, until the core has given a row: where it gives none, the recording is the window."""

    def push(self, signal: NDArray[np.float32]) -> Rows | None:
        """Take samples; see `SoundRows`."""
        self.samples += len(signal)
        self.heard.append(signal)
        self._keep(self.core.push(signal))
        first = []
        while (row := round(self.places.begin() / self.places.hop)) < self.computed:
            first.append(row)
            self.places.next += 1
        return self._rows(first)

    def finish(self) -> Rows | None:
        """End the core; see `SoundRows`."""
        self._keep(self.core.finish())
        duration = self.samples / self.rate_hz
        require_length(duration, self.places.window)
        require_sound(STREAM, duration)
        start, _ = windows_or_whole(duration, self.grid)
        if not self.computed:
            sound = Sound(np.concatenate(self.heard), self.rate_hz)
            self._keep([Frame(functionals_of_whole(sound, self.audio)[0], 0.0, duration)])
        # the core gives up to two rows less than fit in: its last is held
        first = np.minimum(np.rint(start / self.places.hop).astype(int), self.computed - 1)
        rest = first[self.places.next :]
        self.places.next = len(start)
        return self._rows(rest.tolist())

    def close(self) -> None:
        """Stop the core."""
        self.core.close()

    def _keep(self, frames: list[Frame]) -> None:
        for frame in frames:
            self.kept[self.computed] = frame.values
            self.computed += 1
        if self.computed:
            self.heard.clear()

    def _rows(self, first: list[int]) -> Rows | None:
        if not first:
            return None
        values = np.stack([self.kept[row] for row in first])
        # no later window begins earlier; the last row of all may be held
        for row in [row for row in self.kept if row < min(first[-1], self.computed - 1)]:
            del self.kept[row]
        start = np.array(first) * self.places.hop
        valid = np.asarray(np.isfinite(values).all(axis=1))
        return Rows(start, start + self.places.window, values, valid, self.names)


class DescriptorRows:
    """Mean and deviation over windows of descriptors, each of which belongs to the middle of its frame."""

    def __init__(self, extractor: OpenSmile, rate_hz: int) -> None:
        """Start the core."""
        self.grid = extractor.grid
        self.core = SmileCore(extractor.audio, rate_hz, None)
        names = list(feature_names(extractor.audio.feature_set, extractor.audio.level))
        self.moments = WindowMoments(self.grid, names, ("mean", "std"))
        self.names = self.moments.names
        self.rate_hz = rate_hz
        self.samples = 0
        self.last: Frame | None = None
        self.any = False

    def push(self, signal: NDArray[np.float32]) -> Rows | None:
        """Take samples; see `SoundRows`."""
        self.samples += len(signal)
        for frame in self.core.push(signal):
            self._take(frame)
        # the last frame is held back: the end of the recording would move its middle
        until = -1.0 if self.last is None else (self.last.start + self.last.length / 2)
        return _finite(self.moments.known(until - 2e-6, self.samples / self.rate_hz))

    def finish(self) -> Rows | None:
        """End the core; see `SoundRows`.

        Raises:
            MediaError: the sound was too short.
        """
        for frame in self.core.finish():
            self._take(frame)
        duration = self.samples / self.rate_hz
        require_length(duration, self.moments.places.window)
        require_sound(STREAM, duration)
        if self.last is not None:  # opensmile lets the last frame end with the recording
            self._push(self.last, (self.last.start + duration) / 2)
        if not self.any:
            raise MediaError(f"{STREAM}: {duration:.3f} s long, too short for openSMILE's frames")
        return _finite(self.moments.finish(windows_or_whole(duration, self.grid)[0]))

    def close(self) -> None:
        """Stop the core."""
        self.core.close()

    def _take(self, frame: Frame) -> None:
        if self.last is not None:
            self._push(self.last, self.last.start + self.last.length / 2)
        self.last = frame

    def _push(self, frame: Frame, middle: float) -> None:
        if np.isfinite(frame.values).all():
            self.moments.push(middle, frame.values, True)
            self.any = True


def _finite(rows: Rows | None) -> Rows | None:
    """Return rows that are valid where all values are finite."""
    return None if rows is None else replace(rows, valid=np.asarray(np.isfinite(rows.values).all(axis=1)))


class WaveformRows:
    """What a network of the user's makes of each window by itself."""

    def __init__(self, extractor: OnnxWaveforms, rate_hz: int) -> None:
        """Load the network.

        Raises:
            NotStreamedError: the network hears the recording in pieces whose borders depend on its length.
        """
        if extractor.onnx.windows == "shared":
            raise NotStreamedError(
                "audio.onnx.windows is shared: the pieces that the network hears depend on the length of the "
                "whole recording, which a stream does not know; expected each"
            )
        self.extractor = extractor
        self.places = Places(extractor.grid)
        self.rate_hz = rate_hz
        self.held = np.zeros(0, np.float32)
        self.dropped = 0
        self.names: tuple[str, ...] = ()

    @property
    def _samples(self) -> int:
        return self.dropped + len(self.held)

    def push(self, signal: NDArray[np.float32]) -> Rows | None:
        """Take samples; see `SoundRows`."""
        self.held = np.concatenate([self.held, signal])
        starts = []
        length = round(self.places.window * self.rate_hz)
        while True:
            start = self.places.begin()
            if max(round(start * self.rate_hz) + length, (start + self.places.window) * self.rate_hz) > (
                self._samples
            ):
                break
            starts.append(start)
            self.places.next += 1
        return self._rows(np.array(starts))

    def finish(self) -> Rows | None:
        """Let the network hear what is left; see `SoundRows`."""
        duration = self._samples / self.rate_hz
        require_length(duration, self.places.window)
        start, _ = windows_or_whole(duration, self.extractor.grid)
        rest = start[self.places.next :]
        self.places.next = len(start)
        return self._rows(rest)

    def close(self) -> None:
        """Drop the sound that is held."""
        self.held = np.zeros(0, np.float32)

    def _rows(self, start: NDArray[np.float64]) -> Rows | None:
        if not len(start):
            return None
        end = start + self.places.window
        offset = self.dropped / self.rate_hz
        values = self.extractor.heard(
            self.extractor.listener(), Sound(self.held, self.rate_hz), start - offset, end - offset
        )
        self.names = tuple(f"onnx_{i:04d}" for i in range(values.shape[1]))
        # a second is kept before the last window that began: the end of the recording may move windows back
        gone = max(0, round((start[-1] - 1.0) * self.rate_hz) - self.dropped)
        self.held, self.dropped = self.held[gone:], self.dropped + gone
        return Rows(start, end, values, np.asarray(np.isfinite(values).all(axis=1)), self.names)
