"""Recordings of a speaker of train -> with how many of them each is scaled, so that few are no surprise.

A system that learned from features scaled by all recordings of each speaker has never seen those of a
stranger, or of somebody of whom one recording is known, and is worse at them than one that knows of no
speakers. So each recording of train is scaled with a number of its speaker's others that is drawn once: 0,
1, 2, 4, 8 ..., or all, itself among them, as those of dev and test are.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.learning.seeding import numpy_stream
from pipeline.learning.speaker_statistics import SpeakerStatistics

SEED = 0
"""Of the numbers and recordings drawn: part of the data, which all models see alike."""


def varied(single: Mapping[str, SpeakerStatistics], features: int) -> dict[str, SpeakerStatistics]:
    """Return the enrolment of each recording of one speaker.

    single: recording -> its statistics. A recording gets the same number in every modality.
    """
    found = {}
    for name in single:
        others = sorted(other for other in single if other != name)
        numbers = [0, *(2**power for power in range(len(others).bit_length()) if 2**power <= len(others))]
        draw = numpy_stream(SEED, "enrolment", name)
        place = int(draw.integers(len(numbers) + 1))
        if place == len(numbers):
            chosen = sorted(single)
        else:
            chosen = [others[i] for i in draw.permutation(len(others))[: numbers[place]]]
        found[name] = SpeakerStatistics.merged([single[other] for other in chosen], features)
    return found
