"""Waveform -> functionals, or statistics of low-level descriptors, per window or utterance, by openSMILE.

openSMILE's core is called once per recording, which is more than a hundred times faster than once per window:
the low-level descriptors are computed once instead of window/hop times. Functionals of windows
agree with a call per window to within a few percent, since cut windows lose frames at their edges.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.audio.smile import Heard, feature_names, hear, open_core
from pipeline.features.audio.sound import Sound, require_sound, require_window
from pipeline.features.audio.sound_in_pieces import SoundInPieces, open_sound
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
HELD_BYTES = {"lld_statistics": 100_000, "functionals": 300_000}
"""Memory per second, measured: descriptors and their running sums; what the core keeps of a whole."""
CUT = 1.0
"""Seconds by which a recording is longer than a window at most when the core cuts none; 40 ms were seen."""


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
        with open_sound(path, self.audio.sampling_rate_hz) as sound:
            for _ in sound:
                pass
        notes = [*sound.notes, *cost(sound.duration, self.audio, self.grid)]
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
    with nullcontext(sound) if sound is not None else open_sound(path, audio.sampling_rate_hz) as pieces:
        heard = _heard(pieces, audio, grid)
    for note in (pieces.damage.words, *pieces.notes, *cost(pieces.duration, audio, grid)):
        if note:
            logger.warning("%s: %s", path, note)
    duration = pieces.duration
    require_window(path, duration, grid.window)
    require_sound(path, duration)
    start, end = windows_or_whole(duration, grid)
    names = feature_names(audio.feature_set, audio.level)
    if audio.level == "lld_statistics":
        values, names = _statistics(path, heard, duration, start, end), statistics_of(names)
    elif grid.window is not None and grid.hop is not None:
        # Row r of the core starts at r * hop. It gives up to two rows less than fit in: hold its last.
        first = np.rint(start / grid.hop).astype(int)
        first = np.minimum(first, len(heard.values) - 1)
        values = heard.values[first]
        start = first * grid.hop
        end = start + grid.window
        assert len(values) == len(label_times(duration, grid.hop))
    else:
        values = heard.values
    valid = np.asarray(np.isfinite(values).all(axis=1))
    return Rows(start, end, values, valid, names, pieces.damage)


def cost(duration: float, audio: Audio, grid: Grid) -> list[str]:
    """Say what a long recording will take where descriptors of all of it are held in memory at once.

    duration: seconds. Returns a sentence, or nothing where it is short, or windows are cut on the way.
    """
    if duration < LONG or (grid.window is not None and audio.level == "functionals"):
        return []
    memory = duration * HELD_BYTES[audio.level] / 1e9
    of = "its low-level descriptors" if audio.level == "lld_statistics" else "functionals of it as a whole"
    return [
        f"{duration / 3600:.1f} h long: {of} take some {memory:.1f} GB of memory for each worker; "
        "set runtime.workers by it"
    ]


def _statistics(
    path: Location, heard: Heard, duration: float, start: NDArray[np.float64], end: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return mean and standard deviation over each window of descriptors computed once.

    A descriptor belongs to the middle of the frame (20 to 60 ms) that it describes; silence counts,
    for instance as pitch 0. duration: of the sound, with which the last frame ends, seconds.
    start, end: of the windows, seconds, (windows,).

    Raises:
        MediaError: shorter than one frame.
    """
    # a frame that is no number would spoil every running sum after it
    whole = np.isfinite(heard.values).all(axis=1)
    if not whole.any():
        raise MediaError(f"{path}: {duration:.3f} s long, too short for openSMILE's frames")
    middle = (heard.start + np.append(heard.end[:-1], duration))[whole] / 2
    return np.concatenate(moments(heard.values[whole], *members(middle, start, end)), axis=1).astype(
        np.float32
    )


def statistics_of(descriptors: Iterable[str]) -> tuple[str, ...]:
    """Return what the statistics of descriptors are called."""
    own = tuple(descriptors)
    return tuple(f"{name}_{statistic}" for statistic in ("mean", "std") for name in own)


def _heard(sound: Sound | SoundInPieces, audio: Audio, grid: Grid) -> Heard:
    """Let the core hear the sound, once: the descriptors of its frames, or functionals.

    With window and hop the core cuts the windows itself. Of a recording as long as a window it cuts none,
    since its last frames are missing (up to 40 ms): then the recording is the window.
    """
    if audio.level == "lld_statistics" or grid.window is None or grid.hop is None:
        return _whole(sound, sound.rate_hz, audio)
    core = open_core(audio.feature_set, audio.level, sound.rate_hz, (grid.window, grid.hop))
    beginning = _Beginning(sound, (grid.window + CUT) * sound.rate_hz)
    heard = hear(core, beginning, sound.rate_hz)
    return heard if len(heard.values) else _whole(beginning.kept, sound.rate_hz, audio)


def functionals_of_whole(sound: Sound, audio: Audio) -> NDArray[np.float32]:
    """Return the functionals over a whole signal, (1, functionals): no numbers where it is too short."""
    return _whole(sound, sound.rate_hz, audio).values


def _whole(pieces: Iterable[NDArray[np.float32]], rate_hz: int, audio: Audio) -> Heard:
    heard = hear(open_core(audio.feature_set, audio.level, rate_hz), pieces, rate_hz)
    if len(heard.values) or audio.level == "lld_statistics":
        return heard
    return Heard(np.full((1, heard.values.shape[1]), np.nan, np.float32), np.zeros(1), np.zeros(1))


class _Beginning:
    """Passes pieces on, and keeps them all as long as they are no more than `most` samples."""

    def __init__(self, pieces: Iterable[NDArray[np.float32]], most: float) -> None:
        self.pieces = pieces
        self.most = most
        self.kept: list[NDArray[np.float32]] = []

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        passed = 0
        for piece in self.pieces:
            passed += len(piece)
            self.kept = [*self.kept, piece] if passed <= self.most else []
            yield piece
