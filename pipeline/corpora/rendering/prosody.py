"""Emotion -> manner of speaking: pitch, loudness, rate, effort, pauses over time.

Arousal drives most of it, valence a little (pitch range, and formants raised by a smile); slow
noise of its own stands for everything else that moves a voice.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.corpora.rendering.emotion import Course
from pipeline.corpora.rendering.randomness import smooth_noise

CONTROL_HZ = 100.0
# One unit of drive: about one standard deviation of a session's arousal and valence.
AROUSAL_UNIT = 0.19
VALENCE_UNIT = 0.12


@dataclass(frozen=True)
class Manner:
    """How one recording is spoken, each array of shape (control frames,) at `CONTROL_HZ`.

    `pitch` semitones above the speaker's own; `melody` factor on intonation; `contour` semitones
    gained over a phrase; `tremor` semitones; `loudness` dB; `rate` and `pause` factors on speaking
    rate and pause length; `effort` 0 (soft voice, steep spectrum) to 1 (pressed, flat); `breath`
    share of noise; `jitter` relative; `smile` factor on the formants.
    """

    pitch: np.ndarray
    melody: np.ndarray
    contour: np.ndarray
    tremor: np.ndarray
    loudness: np.ndarray
    rate: np.ndarray
    pause: np.ndarray
    effort: np.ndarray
    breath: np.ndarray
    jitter: np.ndarray
    smile: np.ndarray


# Class -> what its voice has beyond its arousal and valence (units of `Manner`, added).
CLASS_CUES: tuple[dict[str, float], ...] = (
    {"effort": 0.22, "contour": -3.0, "loudness": 3.0, "jitter": 0.008},  # anger
    {"pitch": -3.0, "jitter": 0.022, "rate": -0.22, "effort": 0.05, "contour": -1.5},  # disgust
    {"breath": 0.35, "tremor": 0.9, "pitch": 2.5, "rate": 0.15, "effort": -0.20, "loudness": -3.0},  # fear
    {"melody": 0.8, "smile": 0.06, "contour": 1.0, "rate": 0.05},  # happy
    {"melody": -0.35},  # neutral
    {"breath": 0.18, "contour": -3.0, "pause": 0.5, "rate": -0.15, "melody": -0.2},  # sad
    {"contour": 6.0, "melody": 0.5, "pitch": 1.5, "pause": 0.3},  # surprise
)


def control_times(duration: float) -> np.ndarray:
    """Return the control frames' times in seconds, shape (control frames,), the end included."""
    return np.arange(int(np.ceil(duration * CONTROL_HZ)) + 1) / CONTROL_HZ


def session_manner(rng: np.random.Generator, course: Course, duration: float) -> Manner:
    """Turn a session's course into its manner of speaking."""
    time = control_times(duration)
    arousal, valence = course.at(time)
    noise = smooth_noise(rng, len(time), 2.0 * CONTROL_HZ, rows=5)
    # Saturating: an extreme emotion does not take a voice out of its range.
    drive = np.tanh(arousal / AROUSAL_UNIT / 2) * 2, np.tanh(valence / VALENCE_UNIT / 2) * 2
    return _manner(*drive, noise, rng)


def utterance_manner(
    rng: np.random.Generator, code: int, arousal: float, valence: float, duration: float
) -> Manner:
    """Turn an utterance's class `code` and its arousal and valence into its manner of speaking."""
    frames = len(control_times(duration))
    noise = np.repeat(rng.standard_normal((5, 1)), frames, axis=1)
    # A prototype lies three times as far out as a session's ordinary course.
    manner = _manner(np.full(frames, arousal / 0.40), np.full(frames, valence / 0.45), noise, rng)
    intensity = rng.uniform(0.45, 1.15)
    cued = {
        item.name: getattr(manner, item.name) + intensity * CLASS_CUES[code].get(item.name, 0.0)
        for item in fields(Manner)
    }
    return _within(Manner(**cued))


def _manner(arousal: np.ndarray, valence: np.ndarray, noise: np.ndarray, rng: np.random.Generator) -> Manner:
    """Turn drives (control frames,) in units of about one sd and noise (5, control frames) into a manner."""
    # Speakers do not show arousal in the same way: each has own gains.
    pitch, loudness, rate, effort = rng.uniform(0.7, 1.3, size=4)
    flat = np.zeros_like(arousal)
    return _within(
        Manner(
            pitch=1.9 * pitch * arousal + 0.5 * valence + 1.6 * noise[0],
            melody=1 + 0.15 * arousal + 0.15 * valence + 0.15 * noise[1],
            contour=flat - 1.5,
            tremor=flat,
            loudness=3.4 * loudness * arousal + 0.3 * valence + 2.6 * noise[2],
            rate=1 + 0.14 * rate * arousal + 0.08 * noise[3],
            pause=1 - 0.25 * arousal,
            effort=0.5 + 0.16 * effort * arousal + 0.03 * valence + 0.11 * noise[4],
            breath=0.12 - 0.03 * arousal,
            jitter=flat + 0.008,
            smile=1 + 0.022 * valence,
        )
    )


def _within(manner: Manner) -> Manner:
    """Hold a manner inside what a voice can do."""
    limits = {
        "pitch": (-9, 12), "melody": (0.15, 3), "contour": (-9, 9), "tremor": (0, 2), "loudness": (-14, 13),
        "rate": (0.5, 1.7), "pause": (0.25, 2.2), "effort": (0, 1), "breath": (0.02, 0.7),
        "jitter": (0.002, 0.05), "smile": (0.9, 1.12),
    }  # fmt: skip
    return Manner(**{name: np.clip(getattr(manner, name), *limit) for name, limit in limits.items()})
