"""A media file -> what extraction would find wrong with it, before hours are spent.

The sound is decoded and laid as for features, the pictures are decoded and put on the grid: what remains
undone are openSMILE and the networks. So `emobed check` and the stages come to one verdict on every file.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipeline.features.damage import Damage, require_whole
from pipeline.features.frames import FramesOnGrid
from pipeline.features.media import MediaError
from pipeline.features.sound import read_sound, require_length
from pipeline.location import Location, RemoteError
from pipeline.params import Corpus, Modality


@dataclass(frozen=True)
class Inspection:
    """What was found in one stream.

    duration: seconds (None: unknown). problems: why extraction would leave it out, in words. notes: what
    it would mend or choose.
    """

    duration: float | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def inspect(path: Location, modality: Modality, corpus: Corpus) -> Inspection:
    """Look at the stream of a modality in a file, as the stages would with the corpus' parameters."""
    try:
        duration, damage, notes = (_sound if modality == "audio" else _pictures)(path, corpus)
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
    return Inspection(duration, problems, notes)


def _sound(path: Location, corpus: Corpus) -> tuple[float, Damage, list[str]]:
    sound = read_sound(path, corpus.audio.sampling_rate_hz)
    return sound.duration, sound.damage, list(sound.notes)


def _pictures(path: Location, corpus: Corpus) -> tuple[float, Damage, list[str]]:
    video = FramesOnGrid(path, corpus.video.faces.frame_rate_hz)
    for _ in video.pictures():
        pass
    return video.duration, video.damage, list(video.notes)


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
