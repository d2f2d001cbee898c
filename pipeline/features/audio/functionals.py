"""Waveform -> functionals, or statistics of low-level descriptors, per window or utterance, by openSMILE.

openSMILE's core is called once per recording, which is more than a hundred times faster than once per window:
the low-level descriptors are computed once instead of window/hop times. Functionals of windows
agree with a call per window to within a few percent, since cut windows lose frames at their edges.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.smile import Heard, feature_names, hear, open_core
from pipeline.features.audio.sound import Sound, read_sound, require_sound, require_window
from pipeline.features.extractor import Given, Looked, MediumExtractor, Reads
from pipeline.features.grid import label_times, windows_or_whole
from pipeline.features.media.damage import require_whole
from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.window_moments import members, moments
from pipeline.location import Location, as_location
from pipeline.params import Audio, Corpus, Grid
from pipeline.store.damage import Damage
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)

VERSION = 4
"""Raised whenever this module gives other numbers for the same recording."""

LONG = 1800.0
"""Seconds from which the memory for a recording is worth a word."""
SIGNAL_BYTES, DESCRIPTOR_BYTES = 20, 300_000
"""Memory per sample and per second, measured: copies of the signal, descriptors of all frames."""


@dataclass(frozen=True)
class OpenSmile(MediumExtractor):
    """openSMILE's functionals or descriptors, with the parameters of a corpus."""

    audio: Audio
    grid: Grid

    reads = Reads(medium="audio")

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the medium that the functionals of a recording depend on."""
        return fingerprint(self.audio, self.grid)

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of the set's functionals, or of the statistics of its descriptors."""
        own = feature_names(self.audio.feature_set, self.audio.level)
        return statistics_of(own) if self.audio.level == "lld_statistics" else own

    def extract(self, given: Given, device: str) -> Rows:
        """Extract the features of one recording, as `extract` does."""
        return extract(given.path, self.audio, self.grid, given.sound)

    def look(self, path: Location) -> Looked:
        """Decode the sound and lay it."""
        sound = read_sound(path, self.audio.sampling_rate_hz)
        notes = [*sound.notes, *cost(sound.duration, sound.rate_hz)]
        return Looked(sound.duration, sound.damage, notes, sound.rate_hz)

    def check_damage(self, path: Location, damage: Damage) -> None:
        """Refuse sound of which too much is missing."""
        require_whole(path, damage, self.audio.max_damaged_share, "audio.max_damaged_share")

    def check_length(self, path: Location, duration: float) -> None:
        """Refuse sound that gives openSMILE too few frames."""
        require_sound(path, duration)


def extractor(corpus: Corpus) -> OpenSmile:
    """Return the extractor with a corpus' parameters."""
    return OpenSmile(corpus.audio, corpus.grid)


def fingerprint(audio: Audio, grid: Grid) -> dict[str, Any]:
    """Return everything but the medium that the functionals of a recording depend on."""
    return {
        "extractor": "opensmile",
        "version": VERSION,
        "opensmile": version("opensmile"),
        "feature_set": audio.feature_set,
        "level": audio.level,
        "sampling_rate_hz": audio.sampling_rate_hz,
        "grid": grid.fingerprint(),
    }


def extract(path: Location | str, audio: Audio, grid: Grid, sound: Sound | None = None) -> Rows:
    """Extract the features of one recording.

    sound: of the recording, where it is at hand; None: it is read.
    Returns one row per label time (88 functionals for eGeMAPS), or one row for an utterance. With
    `level: lld_statistics` the features are `<descriptor>_mean` and `<descriptor>_std`. `valid` is
    False where a feature is not a finite number.

    Raises:
        MediaError: no such file, not media, no sound stream, shorter than a window.
    """
    path = as_location(path)
    sound = read_sound(path, audio.sampling_rate_hz) if sound is None else sound
    for note in (sound.damage.words, *sound.notes, *cost(sound.duration, sound.rate_hz)):
        if note:
            logger.warning("%s: %s", path, note)
    duration = sound.duration
    require_window(path, duration, grid.window)
    require_sound(path, duration)
    start, end = windows_or_whole(duration, grid)
    if audio.level == "lld_statistics":
        rows = _lld_statistics(path, sound, audio, start, end)
        return replace(rows, damage=sound.damage)
    values = computed = _functionals(sound, audio, grid.window, grid.hop)
    if grid.window is not None and grid.hop is not None:
        # Row r of the core starts at r * hop. It gives up to two rows less than fit in: hold its last.
        first = np.rint(start / grid.hop).astype(int)
        first = np.minimum(first, len(computed) - 1)
        values = computed[first]
        start = first * grid.hop
        end = start + grid.window
        assert len(values) == len(label_times(duration, grid.hop))
    names = feature_names(audio.feature_set, "functionals")
    valid = np.asarray(np.isfinite(values).all(axis=1))
    return Rows(start, end, values, valid, names, sound.damage)


def cost(duration: float, rate_hz: int) -> list[str]:
    """Say what openSMILE will take for a long recording, which it holds in memory as a whole.

    duration: seconds. rate_hz: of the signal. Returns a sentence, or nothing where it is short.
    """
    if duration < LONG:
        return []
    wanted = duration * (SIGNAL_BYTES * rate_hz + DESCRIPTOR_BYTES)
    return [
        f"{duration / 3600:.1f} h long: openSMILE takes it at once, some {wanted / 1e9:.1f} GB of memory for "
        "each worker; set runtime.workers by it"
    ]


def _lld_statistics(
    path: Location,
    sound: Sound,
    audio: Audio,
    start: NDArray[np.float64],
    end: NDArray[np.float64],
) -> Rows:
    """Return mean and standard deviation over each window of descriptors computed once.

    A descriptor belongs to the middle of the frame (20 to 60 ms) that it describes; silence counts,
    for instance as pitch 0. start, end: of the windows, seconds, (windows,).

    Raises:
        MediaError: shorter than one frame.
    """
    names = statistics_of(feature_names(audio.feature_set, audio.level))
    descriptors, first, last = _heard(sound, audio)
    # a frame that is no number would spoil every running sum after it
    whole = np.isfinite(descriptors).all(axis=1)
    if not whole.any():
        raise MediaError(f"{path}: {sound.duration:.3f} s long, too short for openSMILE's frames")
    last = np.append(last[:-1], sound.duration)
    middle = (first + last)[whole] / 2
    mean, std = moments(descriptors[whole], *members(middle, start, end))
    values = np.concatenate([mean, std], axis=1).astype(np.float32)
    return Rows(start, end, values, np.asarray(np.isfinite(values).all(axis=1)), names)


def statistics_of(descriptors: Iterable[str]) -> tuple[str, ...]:
    """Return what the statistics of descriptors are called."""
    own = tuple(descriptors)
    return tuple(f"{name}_{statistic}" for statistic in ("mean", "std") for name in own)


def _functionals(sound: Sound, audio: Audio, window: float | None, hop: float | None) -> NDArray[np.float32]:
    """Return the core's rows, (rows, functionals); with window and hop it cuts the windows itself.

    Of a recording as long as a window the core cuts none, since its last frames are missing (up to 40 ms):
    then the recording is the window.
    """
    if window is None or hop is None:
        return functionals_of_whole(sound, audio)
    values = _heard(sound, audio, (window, hop)).values
    return values if len(values) else functionals_of_whole(sound, audio)


def functionals_of_whole(sound: Sound, audio: Audio) -> NDArray[np.float32]:
    """Return the functionals over a whole signal, (1, functionals): no numbers where it is too short."""
    values = _heard(sound, audio).values
    return values if len(values) else np.full((1, values.shape[1]), np.nan, np.float32)


def _heard(sound: Sound, audio: Audio, windows: tuple[float, float] | None = None) -> Heard:
    core = open_core(audio.feature_set, audio.level, sound.rate_hz, windows)
    return hear(core, [sound.signal], sound.rate_hz)
