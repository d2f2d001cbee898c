"""A media file -> what extraction would find wrong with it, before hours are spent.

The sound is decoded and laid as for features, the pictures are decoded and put on the grid: what remains
undone are openSMILE and the networks. So `emobed check` and the stages come to one verdict on every file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.features.audio.functionals import cost
from pipeline.features.audio.sound import read_sound, require_length
from pipeline.features.media.damage import require_whole
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import Kind, MediaError, named
from pipeline.features.media.upright import upright
from pipeline.location import Location, RemoteError
from pipeline.params import Corpus
from pipeline.store.damage import Damage


@dataclass(frozen=True)
class Inspection:
    """What was found in one stream.

    duration: seconds (None: unknown). problems: why extraction would leave it out, in words. notes: what
    it would mend or choose. rate_hz: of the sound that features are computed from.
    """

    duration: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rate_hz: int | None = None


def inspect(path: Location, modality: Kind, corpus: Corpus) -> Inspection:
    """Look at the stream of a modality in a file, as the stages would with the corpus' parameters."""
    try:
        duration, damage, notes, rate_hz = (_sound if modality == "audio" else _pictures)(path, corpus)
    except (MediaError, RemoteError) as error:
        return Inspection(None, [_reason(path, error)])
    problems = []
    share, key = (
        (corpus.audio.max_damaged_share, "audio.max_damaged_share")
        if modality == "audio"
        else (corpus.video.faces.max_damaged_share, "video.faces.max_damaged_share")
    )
    try:
        require_whole(path, damage, share, key)
        if damage.words:
            notes = [damage.words, *notes]
    except MediaError as error:
        problems.append(_reason(path, error))
    try:
        require_length(path, duration, corpus.grid.window, sound=modality == "audio")
    except MediaError as error:
        problems.append(_reason(path, error))
    return Inspection(duration, problems, notes, rate_hz)


def _sound(path: Location, corpus: Corpus) -> tuple[float, Damage, list[str], int]:
    sound = read_sound(path, corpus.audio.sampling_rate_hz)
    notes = [*sound.notes, *cost(sound.duration, sound.rate_hz)]
    return sound.duration, sound.damage, notes, sound.rate_hz


def _pictures(path: Location, corpus: Corpus) -> tuple[float, Damage, list[str], None]:
    video = FramesOnGrid(path, corpus.video.faces.frame_rate_hz)
    for number, (frame, aspect, _, _) in enumerate(video.pictures()):
        if number == 0:  # whether it can be made a picture at all: all have one format
            with named(path):
                upright(frame, aspect)
    return video.duration, video.damage, list(video.notes), None


def _reason(path: Location, error: Exception) -> str:
    return str(error).removeprefix(f"{path}: ")


def compare(sound: Inspection, video: Inspection, share: float = 0.05, seconds: float = 1.0) -> list[str]:
    """Say whether the lengths of sound and video of one recording differ by more than both limits."""
    if sound.duration is None or video.duration is None:
        return []
    difference = abs(sound.duration - video.duration)
    if difference <= max(seconds, share * max(sound.duration, video.duration)):
        return []
    return [f"the sound lasts {sound.duration:.1f} s, the video {video.duration:.1f} s"]


def rates_note(rates_hz: Mapping[str, int]) -> list[str]:
    """Say that recordings are taken at different sampling rates, which moves features for that alone.

    rates_hz: recording -> rate of the sound that its features are computed from.
    """
    by_rate: dict[int, list[str]] = {}
    for recording, rate in sorted(rates_hz.items()):
        by_rate.setdefault(rate, []).append(recording)
    if len(by_rate) < 2:
        return []
    listed = ", ".join(
        f"{rate} Hz ({len(names)}, {names[0]} first)" for rate, names in sorted(by_rate.items())
    )
    return [
        f"audio.sampling_rate_hz is native and the recordings have different rates, {listed}: their features "
        "differ for that alone; set a rate to resample all to"
    ]
