"""A media file -> what extraction would find wrong with it, before hours are spent.

The sound is decoded and laid as for features, the pictures are decoded and put on the grid: what remains
undone are openSMILE and the networks. So `emobed check` and the stages come to one verdict on every file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipeline.features.audio.sound import require_window
from pipeline.features.extractor import MediumExtractor, extractor_of
from pipeline.features.media.opening import Kind, MediaError
from pipeline.location import Location, RemoteError
from pipeline.params import Corpus

FIRST: dict[Kind, str] = {"audio": "extract_audio", "video": "detect_faces"}
"""The stage that opens the media of a modality first."""


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
    """Look at the stream of a modality in a file, as the stage would that opens it first."""
    extractor = extractor_of(FIRST[modality], corpus)
    assert isinstance(extractor, MediumExtractor)
    try:
        looked = extractor.look(path)
    except (MediaError, RemoteError) as error:
        return Inspection(None, [_reason(path, error)])
    problems, notes = [], looked.notes
    try:
        extractor.check_damage(path, looked.damage)
        if looked.damage.words:
            notes = [looked.damage.words, *notes]
    except MediaError as error:
        problems.append(_reason(path, error))
    try:
        require_window(path, looked.duration, corpus.grid.window)
        extractor.check_length(path, looked.duration)
    except MediaError as error:
        problems.append(_reason(path, error))
    return Inspection(looked.duration, problems, notes, looked.rate_hz)


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
