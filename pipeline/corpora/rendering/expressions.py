"""Emotion -> facial expression and pose over the frames of a video.

Valence drives most of it (mouth, brows, eyes), arousal a little (eyes, brow height); slow noise
stands for everything else that moves a face. The mouth opens with the voice; eyes blink.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from pipeline.corpora.rendering.emotion import Course
from pipeline.corpora.rendering.prosody import AROUSAL_UNIT, CONTROL_HZ, VALENCE_UNIT
from pipeline.corpora.rendering.randomness import smooth_noise

BLINK = 0.18  # seconds that the lids are down
BLINK_EVERY = 3.5  # seconds on average


@dataclass(frozen=True)
class Expression:
    """A face over time, each array of shape (frames,).

    `curve` of the mouth -1 (down) to 1 (smile); `opening` of the mouth 0..1; `width` of the mouth,
    factor; `eyes` opening, 0 closed to 1.5; `brows` height -1..1; `slant` of the brows -1 (inner
    ends up, sorrow) to 1 (down, anger); `wrinkle` of the nose 0..1; `rotation` degrees; `shift_x`,
    `shift_y` pixels; `scale` factor; `yaw`, `nod` -1..1; `light` factor.
    """

    curve: np.ndarray
    opening: np.ndarray
    width: np.ndarray
    eyes: np.ndarray
    brows: np.ndarray
    slant: np.ndarray
    wrinkle: np.ndarray
    rotation: np.ndarray
    shift_x: np.ndarray
    shift_y: np.ndarray
    scale: np.ndarray
    yaw: np.ndarray
    nod: np.ndarray
    light: np.ndarray


# Class -> what its face has beyond its arousal and valence (units of `Expression`, added).
CLASS_CUES: tuple[dict[str, float], ...] = (
    {"slant": 0.75, "brows": -0.30, "eyes": -0.12, "width": 0.05},  # anger
    {"wrinkle": 0.9, "eyes": -0.30, "slant": 0.20, "width": -0.10, "curve": -0.10},  # disgust
    {"slant": -0.50, "brows": 0.45, "eyes": 0.25, "opening": 0.15, "width": 0.05},  # fear
    {"eyes": -0.15, "width": 0.12, "opening": 0.08},  # happy
    {},  # neutral
    {"slant": -0.60, "eyes": -0.22, "curve": -0.15, "brows": 0.10},  # sad
    {"brows": 0.70, "eyes": 0.30, "opening": 0.35, "width": -0.15},  # surprise
)


def frame_times(duration: float, frame_rate_hz: float) -> np.ndarray:
    """Return the frames' times in seconds from 0, shape (frames,)."""
    return np.arange(max(1, round(duration * frame_rate_hz))) / frame_rate_hz


def session_expression(
    rng: np.random.Generator, course: Course, mouth: np.ndarray, time: np.ndarray
) -> Expression:
    """Turn a session's course into its facial expression.

    Args:
        rng: source of noise, blinks and pose
        course: the session's emotion
        mouth: opening of the speaking mouth at `CONTROL_HZ`, (control frames,)
        time: times of the frames in seconds, (frames,)
    """
    arousal, valence = course.at(time)
    noise = smooth_noise(rng, len(time), max(0.5, 2.0 * _rate(time)), rows=5)
    drive = np.tanh(arousal / AROUSAL_UNIT / 2) * 2, np.tanh((valence - 0.08) / VALENCE_UNIT / 2) * 2
    return _expression(*drive, noise, mouth, time, rng)


def utterance_expression(
    rng: np.random.Generator, code: int, emotion: tuple[float, float], mouth: np.ndarray, time: np.ndarray
) -> Expression:
    """Turn an utterance's class `code` and its `emotion` (arousal, valence) into its facial expression."""
    noise = np.repeat(rng.standard_normal((5, 1)), len(time), axis=1)
    flat = np.ones(len(time))
    face = _expression(flat * emotion[0] / 0.40, flat * emotion[1] / 0.40, noise, mouth, time, rng)
    # An expression rises towards the middle of the utterance and falls again.
    bell = 0.55 + 0.45 * np.sin(np.pi * (np.arange(len(time)) + 0.5) / len(time))
    strength = rng.uniform(0.45, 1.15) * bell
    cued = {
        item.name: getattr(face, item.name) + strength * CLASS_CUES[code].get(item.name, 0.0)
        for item in fields(Expression)
    }
    return _within(Expression(**cued))


def _expression(
    arousal: np.ndarray,
    valence: np.ndarray,
    noise: np.ndarray,
    mouth: np.ndarray,
    time: np.ndarray,
    rng: np.random.Generator,
) -> Expression:
    """Turn drives (frames,) in units of about one sd and noise (5, frames) into an expression."""
    smile, brow, eye = rng.uniform(0.75, 1.25, size=3)
    pose = smooth_noise(rng, len(time), max(0.5, 1.2 * _rate(time)), rows=7)
    spoken = np.interp(time, np.arange(len(mouth)) / CONTROL_HZ, mouth)
    return _within(
        Expression(
            curve=0.35 * smile * valence + 0.13 * noise[0],
            opening=0.75 * spoken,
            width=1 + 0.035 * valence + 0.02 * noise[1],
            eyes=(1 + 0.11 * eye * arousal - 0.03 * valence + 0.06 * noise[2]) * _blinks(rng, time),
            brows=0.14 * brow * arousal + 0.08 * valence + 0.10 * noise[3],
            slant=-0.13 * brow * valence + 0.08 * noise[4],
            wrinkle=np.zeros(len(time)),
            rotation=3.5 * pose[0],
            shift_x=6.0 * pose[1],
            shift_y=3.5 * pose[2],
            scale=1 + 0.03 * pose[3],
            yaw=0.30 * pose[4],
            nod=0.25 * pose[5],
            light=1 + 0.03 * pose[6],
        )
    )


def _blinks(rng: np.random.Generator, time: np.ndarray) -> np.ndarray:
    """Return a factor on the opening of the eyes, (frames,): 0.1 in the middle of a blink."""
    factor = np.ones(len(time))
    now = rng.exponential(BLINK_EVERY)
    while now < time[-1]:
        factor = np.minimum(factor, 0.1 + np.abs(time - now) / (BLINK / 2))
        now += 0.5 + rng.exponential(BLINK_EVERY)
    return factor


def _rate(time: np.ndarray) -> float:
    """Return the frames per second of `time`."""
    return 1.0 if len(time) < 2 else float(1 / (time[1] - time[0]))


def _within(face: Expression) -> Expression:
    """Hold an expression inside what the drawing can show and a detector should find."""
    limits = {
        "curve": (-1, 1), "opening": (0, 1), "width": (0.75, 1.25), "eyes": (0.06, 1.5), "brows": (-1, 1),
        "slant": (-1, 1), "wrinkle": (0, 1), "rotation": (-11, 11), "shift_x": (-20, 20),
        "shift_y": (-10, 10), "scale": (0.92, 1.08), "yaw": (-1, 1), "nod": (-1, 1), "light": (0.85, 1.15),
    }  # fmt: skip
    return Expression(**{name: np.clip(getattr(face, name), *limit) for name, limit in limits.items()})
