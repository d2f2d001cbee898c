"""Five landmarks per frame -> geometric features of the face and their speeds.

A substitute for the 632 geometric features that AVEC 2016 distributes, not the same: those come
from 49 tracked points, these from the five that MTCNN finds, so that brows, lids and lips are
not in them. No picture is read: the detections are enough.

Every feature is free of the picture's resolution: lengths are in units of the face's size, places
and sizes relative to the recording's own median. Angles are in radians.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import Extractor, Given, Reads
from pipeline.features.faces.face_table import BOX, LANDMARKS
from pipeline.params import Corpus
from pipeline.store.rows import Rows

VERSION = 1
"""Raised whenever this module gives other numbers for the same recording."""

SMALLEST = 1e-6
"""Pixels; keeps landmarks that fall into one point from dividing by zero."""

_SHAPE = tuple(f"{name}_{axis}" for name in LANDMARKS for axis in "xy")
_DISTANCES = tuple(f"distance_{a}_{b}" for a, b in combinations(LANDMARKS, 2))
_ANGLES = (
    "angle_eyes_at_nose",
    "angle_mouth_at_nose",
    "angle_left_eye_nose_mouth",
    "angle_right_eye_nose_mouth",
    "angle_mouth_to_eyes",
)
_POSE = ("roll", "yaw_proxy", "pitch_proxy")
_PLACE = ("face_x", "face_y", "face_log_size")
STATIC = (*_SHAPE, *_DISTANCES, *_ANGLES, *_POSE, *_PLACE)
NAMES = tuple(f"landmarks_{name}" for name in (*STATIC, *(f"{name}_speed" for name in STATIC)))
CIRCULAR = tuple(STATIC.index(name) for name in ("roll", "angle_mouth_to_eyes"))
"""Angles that jump by a whole turn; the others lie between 0 and pi."""


@dataclass(frozen=True)
class Landmarks(Extractor):
    """Describes the detections themselves: it reads no picture and has no parameters."""

    reads = Reads(table="faces")

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the detections that the rows of a recording depend on."""
        return {"version": VERSION, "network": "landmarks"}

    def names(self, before: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of what describes a face."""
        return NAMES

    def extract(self, given: Given, device: str) -> Rows:
        """Describe the faces of one recording, as `geometry` does."""
        return geometry(given.required_rows())


def extractor(corpus: Corpus) -> Landmarks:
    """Return the extractor, the same for every corpus."""
    return Landmarks()


def geometry(detections: Rows) -> Rows:
    """Describe the geometry of the tracked face at each tick.

    Features, each also as `_speed`, its change per second since the frame before (0 where that had
    no face):

    - the five landmarks, turned upright, in units of the face's size about their centre (Procrustes
      shape coordinates; I. Dryden, K. Mardia, Statistical Shape Analysis, 1998, ch. 2), 10;
    - their distances in the same unit, 10;
    - angles at the nose and between the mouth and the eyes, 5;
    - head pose, 3: `roll`, the slope of the line through the eyes; `yaw_proxy`, how far the nose lies
      beside the middle between the eyes, in distances between the eyes; `pitch_proxy`, how far it
      lies down from the eyes to the mouth. Proxies: true angles need a camera and a head model;
    - the box's centre and the logarithm of its size against the recording's median, in median sizes, 3.

    detections: rows of `faces.detect`. Returns one row per tick with the same `start, end, valid`;
    zeros where there is no face.
    """
    valid = detections.valid
    values = np.zeros((len(detections), len(NAMES)), np.float32)
    if valid.any():
        static = np.zeros((len(detections), len(STATIC)))
        points = np.stack([detections.column(name) for name in _SHAPE], axis=1).astype(np.float64)
        static[valid] = np.concatenate(
            [_faces(points[valid].reshape(-1, len(LANDMARKS), 2)), _places(detections)[valid]], axis=1
        )
        values[:, : len(STATIC)] = static
        values[:, len(STATIC) :] = _speeds(static, detections.column("frame_time").astype(np.float64), valid)
    return Rows(detections.start, detections.end, values, valid, NAMES)


def _faces(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Describe each face by itself, (faces, 28).

    points: (faces, 5, 2), x to the right, y down, pixels.
    """
    eyes = points[:, 1] - points[:, 0]
    roll = np.arctan2(eyes[:, 1], eyes[:, 0])
    centred = points - points.mean(axis=1, keepdims=True)
    size = np.maximum(np.sqrt((centred**2).sum(axis=(1, 2))), SMALLEST)[:, None, None]
    upright = _turned(centred / size, -roll)
    left_eye, right_eye, nose, mouth_left, mouth_right = np.moveaxis(upright, 1, 0)
    between_eyes, between_corners = (left_eye + right_eye) / 2, (mouth_left + mouth_right) / 2
    down = between_corners - between_eyes
    # in the upright face the eyes lie on a horizontal line
    eye_distance = np.maximum(right_eye[:, 0] - left_eye[:, 0], SMALLEST)
    share = ((nose - between_eyes) * down).sum(axis=1) / np.maximum((down**2).sum(axis=1), SMALLEST)
    mouth = mouth_right - mouth_left
    columns = [
        *upright.reshape(len(points), -1).T,
        *(np.linalg.norm(upright[:, b] - upright[:, a], axis=1) for a, b in combinations(range(5), 2)),
        _angle(left_eye - nose, right_eye - nose),
        _angle(mouth_left - nose, mouth_right - nose),
        _angle(left_eye - nose, mouth_left - nose),
        _angle(right_eye - nose, mouth_right - nose),
        np.arctan2(mouth[:, 1], mouth[:, 0]),
        roll,
        (nose - between_eyes)[:, 0] / eye_distance,
        share,
    ]
    return np.stack(columns, axis=1)


def _places(detections: Rows) -> NDArray[np.float64]:
    """Return the box's centre and log size against the recording's median, (ticks, 3)."""
    left, top, right, bottom = (detections.column(name).astype(np.float64) for name in BOX)
    size = np.sqrt(np.maximum((right - left) * (bottom - top), SMALLEST))
    usual = np.median(size[detections.valid])
    x, y = (left + right) / 2, (top + bottom) / 2
    middle = np.median(x[detections.valid]), np.median(y[detections.valid])
    return np.stack([(x - middle[0]) / usual, (y - middle[1]) / usual, np.log(size / usual)], axis=1)


def _speeds(
    static: NDArray[np.float64], frame_time: NDArray[np.float64], valid: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the change per second since the frame before, (ticks, features).

    A frame shown at several ticks is one frame: all of them have its speed.
    """
    fresh = np.flatnonzero(np.diff(frame_time, prepend=-np.inf) > 0)  # the first tick of each frame
    change = np.diff(static[fresh], axis=0)
    change[:, CIRCULAR] = (change[:, CIRCULAR] + np.pi) % (2 * np.pi) - np.pi
    speed = np.zeros((len(fresh), static.shape[1]))
    both = valid[fresh][1:] & valid[fresh][:-1]
    speed[1:][both] = (change / np.diff(frame_time[fresh])[:, None])[both]
    return speed[np.searchsorted(fresh, np.arange(len(static)), side="right") - 1]


def _turned(points: NDArray[np.float64], angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn points (faces, 5, 2) about the origin by an angle for each face, radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    matrix = np.stack([np.stack([cosine, -sine], axis=-1), np.stack([sine, cosine], axis=-1)], axis=-2)
    return np.asarray(np.einsum("fij,fpj->fpi", matrix, points))


def _angle(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle between vectors (faces, 2), 0 to pi; arctan2 keeps its digits near 0."""
    cross = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
    return np.asarray(np.arctan2(np.abs(cross), (a * b).sum(axis=1)))
