"""Known emotion: a generator -> smooth arousal and valence of a session, or of one class.

Sessions follow RECOLA's spread per recording (arousal sd .10-.24, mean -.19..+.15; valence sd
.06-.16, mean -.02..+.27). Clips are drawn around one prototype per class of OMG-Emotion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.corpora.rendering.randomness import smooth_noise

STEP = 0.04  # seconds; RECOLA's annotation grid
PREROLL = 6.0  # seconds before the recording that delayed raters still react to
# Kernel of the emotion's course, seconds: the autocorrelation falls to 1/e after about 7 s.
COURSE = 3.5
CLASSES = ("anger", "disgust", "fear", "happy", "neutral", "sad", "surprise")
# (arousal, valence) of each class, in the order of OMG's codes.
PROTOTYPES = np.array(
    [(0.60, -0.55), (0.05, -0.50), (0.50, -0.45), (0.40, 0.65), (-0.10, 0.05), (-0.55, -0.45), (0.55, 0.20)]
)
PROTOTYPE_SPREAD = 0.18


@dataclass(frozen=True)
class Course:
    """Arousal and valence over time.

    `time` (steps,) in seconds starts at `-PREROLL`; `arousal`, `valence` (steps,) in -1..1.
    """

    time: np.ndarray
    arousal: np.ndarray
    valence: np.ndarray

    def at(self, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return arousal and valence at `time` (any shape, seconds), linearly interpolated."""
        return np.interp(time, self.time, self.arousal), np.interp(time, self.time, self.valence)


def annotation_times(duration: float) -> np.ndarray:
    """Return the annotation grid 0, 0.04, ... up to `duration`, seconds, shape (rows,)."""
    return np.arange(int(np.floor(duration / STEP + 1e-6)) + 1) * STEP


def draw_course(rng: np.random.Generator, duration: float) -> Course:
    """Draw the course of one session of `duration` seconds."""
    steps = round(PREROLL / STEP) + len(annotation_times(duration))
    time = np.arange(steps) * STEP - PREROLL
    waves = smooth_noise(rng, steps, COURSE / STEP, rows=2)
    arousal = rng.uniform(-0.10, 0.10) + rng.uniform(0.16, 0.22) * waves[0]
    valence = rng.uniform(0.00, 0.18) + rng.uniform(0.10, 0.14) * waves[1]
    return Course(time, np.clip(arousal, -0.95, 0.95), np.clip(valence, -0.95, 0.95))


def draw_prototype(rng: np.random.Generator, code: int) -> tuple[float, float]:
    """Draw (arousal, valence) in -1..1 of an utterance of class `code`."""
    arousal, valence = np.clip(PROTOTYPES[code] + PROTOTYPE_SPREAD * rng.standard_normal(2), -0.95, 0.95)
    return float(arousal), float(valence)
