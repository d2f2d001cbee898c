"""What one scaling of a recogniser needs of a speaker: statistics of the recordings that were enrolled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.learning.speaker_statistics import SpeakerStatistics


@dataclass(frozen=True)
class Entry:
    """What one scaling needs of a speaker.

    modality: whose features. statistics: of all recordings that were enrolled. media: sha256 of each, so that
    the same recording does not count twice.
    """

    modality: str
    statistics: SpeakerStatistics
    media: tuple[str, ...] = ()

    @property
    def recordings(self) -> int:
        """Return how many recordings were enrolled, whether or not something was seen or heard in them."""
        return len(self.media)
