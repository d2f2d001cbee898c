"""Manner of speaking -> syllables: which sound, how loud, at what pitch, for each control frame.

A phrase is a run of syllables and ends in a pause; a syllable is a consonant and a vowel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pipeline.corpora.rendering.prosody import CONTROL_HZ, Manner

# First three formants in Hz of an average adult; how far the mouth opens, 0..1.
VOWELS = (
    ((750.0, 1250.0, 2550.0), 1.00),
    ((550.0, 1800.0, 2500.0), 0.65),
    ((310.0, 2200.0, 2950.0), 0.30),
    ((520.0, 950.0, 2450.0), 0.70),
    ((340.0, 850.0, 2350.0), 0.30),
    ((520.0, 1450.0, 2450.0), 0.50),
)
NASAL = (280.0, 1150.0, 2250.0)
# Consonant -> (share of voice, share of noise, mouth opening).
CONSONANTS = ((0.0, 0.55, 0.15), (0.0, 0.30, 0.05), (0.40, 0.0, 0.0), (0.35, 0.20, 0.15))
SYLLABLE = 0.21  # seconds at rate 1
PAUSE = 0.45  # seconds on average at factor 1


@dataclass(frozen=True)
class Articulation:
    """What the vocal tract does, each array over control frames.

    `voiced`, `noisy` amplitudes 0..1; `formants` (control frames, 3) Hz; `intonation` semitones;
    `opening` of the mouth 0..1.
    """

    voiced: np.ndarray
    noisy: np.ndarray
    formants: np.ndarray
    intonation: np.ndarray
    opening: np.ndarray


def articulate(rng: np.random.Generator, manner: Manner, speaking_rate: float) -> Articulation:
    """Speak syllables until the manner's last control frame.

    Args:
        rng: chooses sounds, lengths, accents and pauses
        manner: how to speak, (control frames,) each
        speaking_rate: the speaker's own factor on the rate
    """
    frames = len(manner.pitch)
    voiced, noisy, opening, intonation = np.zeros((4, frames))
    formants = np.tile(np.array(VOWELS[5][0]), (frames, 1))
    now, left, phrase = 0.08, int(rng.integers(4, 11)), 1
    phrase = left
    while (first := int(now * CONTROL_HZ)) < frames - 8:
        if left == 0:
            now += PAUSE * rng.uniform(0.5, 1.5) * manner.pause[first]
            left = phrase = int(rng.integers(4, 11))
            continue
        length = SYLLABLE / (speaking_rate * manner.rate[first]) * rng.lognormal(0, 0.15)
        last = min(int((now + length) * CONTROL_HZ), frames - 4)
        middle = first + max(1, int((last - first) * rng.uniform(0.25, 0.42)))
        voice, noise, gap = CONSONANTS[rng.integers(len(CONSONANTS))]
        vowel, width = VOWELS[rng.integers(len(VOWELS))]
        voiced[first:middle], noisy[first:middle], opening[first:middle] = voice, noise, gap
        voiced[middle:last], opening[middle:last] = rng.uniform(0.8, 1.0), width
        formants[first:middle] = NASAL if noise == 0 else vowel
        formants[middle:last] = vowel
        # A phrase climbs or falls by `contour`; each syllable has an accent of its own.
        place = (phrase - left + np.arange(last - first) / max(1, last - first)) / phrase
        accent = 1.3 * rng.standard_normal()
        intonation[first:last] = manner.contour[first] * (place - 0.5) + manner.melody[first] * accent
        now, left = now + length, left - 1
    return Articulation(
        voiced=gaussian_filter1d(voiced, 1.2),
        noisy=gaussian_filter1d(noisy, 0.8),
        formants=gaussian_filter1d(formants, 1.8, axis=0),
        intonation=gaussian_filter1d(intonation, 3.0),
        opening=gaussian_filter1d(opening, 3.0),
    )
