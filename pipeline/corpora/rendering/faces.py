"""Face identity and expression -> frames of a video.

The moving features (eyes, brows, mouth, nose) are drawn over the speaker's still layer, the whole is
turned, shifted and scaled into the frame, laid over the background, slightly blurred, and gets the
camera's light and noise.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np

from pipeline.corpora.rendering.expressions import Expression
from pipeline.corpora.rendering.heads import (
    CENTRE,
    HALF_HEIGHT,
    HEIGHT,
    SHRINK,
    WIDTH,
    Face,
    Portrait,
    fill,
    oval,
    shade,
    stroke,
)

SENSOR_NOISE = 2.5  # standard deviation, grey levels
NOISE_ZERO = 32.0  # stands for no noise in an unsigned image
NOISE_FIELDS = 8  # drawn once per recording and taken by chance: fresh noise costs 1 ms per frame
ACROSS = np.linspace(-1, 1, 17)  # along a mouth or an eye, corner to corner


def draw_frames(rng: np.random.Generator, portrait: Portrait, expression: Expression) -> Iterator[np.ndarray]:
    """Draw one frame after the other, each (HEIGHT, WIDTH, 3) uint8 RGB.

    Args:
        rng: source of the camera's noise
        portrait: the speaker
        expression: what the face does, (frames,) each
    """
    # One thread per process: recordings are drawn in parallel.
    cv2.setNumThreads(1)
    face, still = portrait.face, portrait.layer
    noise = _noise_fields(rng)
    order = rng.integers(NOISE_FIELDS, size=len(expression.curve))
    top, bottom = int(CENTRE[1] - HALF_HEIGHT), int(CENTRE[1] + HALF_HEIGHT)
    layer = still.copy()
    for index in range(len(expression.curve)):
        layer[top:bottom] = still[top:bottom]
        draw_features(layer, face, expression, index)
        frame = _place(layer, portrait, expression, index)
        frame = cv2.GaussianBlur(frame, (3, 3), 0.55)
        gain = float(expression.light[index]) * face.contrast
        yield cv2.addWeighted(frame, gain, noise[order[index]], 1.0, -NOISE_ZERO)


def _noise_fields(rng: np.random.Generator) -> list[np.ndarray]:
    """Draw the camera's grey noise, each field (HEIGHT, WIDTH, 3) uint8 around `NOISE_ZERO`."""
    grain = SENSOR_NOISE * rng.standard_normal((NOISE_FIELDS, HEIGHT, WIDTH), dtype=np.float32)
    fields = np.clip(grain + NOISE_ZERO + 0.5, 0, 2 * NOISE_ZERO).astype(np.uint8)
    return [cv2.cvtColor(field, cv2.COLOR_GRAY2RGB) for field in fields]


def _place(layer: np.ndarray, portrait: Portrait, pose: Expression, index: int) -> np.ndarray:
    """Turn, shift and scale `layer` into the frame, over the background."""
    scale = SHRINK * portrait.face.size * float(pose.scale[index])
    matrix = cv2.getRotationMatrix2D(CENTRE, float(pose.rotation[index]), scale)
    matrix[0, 2] += WIDTH / 2 + float(pose.shift_x[index]) - CENTRE[0]
    # A little above the middle: shoulders are in the picture.
    matrix[1, 2] += HEIGHT / 2 - 14 + float(pose.shift_y[index]) - CENTRE[1]
    person = cv2.warpAffine(layer, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    front = cv2.cvtColor(person, cv2.COLOR_RGBA2RGB)
    covered = cv2.cvtColor(person[..., 3], cv2.COLOR_GRAY2RGB)
    # The layer is premultiplied by its alpha.
    return cv2.add(front, cv2.multiply(portrait.background, cv2.bitwise_not(covered), scale=1 / 255))


def draw_features(layer: np.ndarray, face: Face, expression: Expression, index: int) -> None:
    """Draw eyes, brows, nose and mouth of frame `index` onto `layer` (LAYER, LAYER, 4) in place."""
    turn = _moved(np.array(CENTRE), 9.0 * float(expression.yaw[index]), 6.0 * float(expression.nod[index]))
    _nose(layer, face, turn, float(expression.wrinkle[index]))
    _mouth(layer, face, turn, expression, index)
    eyes = float(np.clip(expression.eyes[index] * face.rest_eyes, 0.05, 1.6))
    brows = float(expression.brows[index]) + face.rest_brows
    slant = float(expression.slant[index]) + face.rest_slant
    squint = float(np.clip(expression.curve[index], 0, 1)) + 0.6 * float(expression.wrinkle[index])
    for side in (-1, 1):
        _eye(layer, face, turn, side, eyes, squint)
        _brow(layer, face, turn, side, brows, slant)
    if face.glasses:
        _glasses(layer, face, turn)


def _moved(point: np.ndarray, across: float, down: float) -> np.ndarray:
    return point + np.array([across, down])


def _between(half: float, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the polygon between two lines over `ACROSS`, `half` pixels to either side, (points, 2)."""
    top, bottom = (np.column_stack([ACROSS * half, line]) for line in (upper, lower))
    return np.vstack([top, bottom[::-1]])


def _eye(layer: np.ndarray, face: Face, turn: np.ndarray, side: int, opening: float, squint: float) -> None:
    """Draw one eye; the iris is cut off where the lids cover it."""
    unit = HALF_HEIGHT
    middle = _moved(turn, side * face.eye_gap * unit, -0.10 * unit)
    half = face.eye_width * unit
    arch = 1 - ACROSS**2
    upper = -0.082 * unit * opening * arch
    # A smile or a wrinkled nose pushes the lower lid up.
    lower = 0.052 * unit * opening * (1 - 0.45 * min(1.0, squint)) * arch
    lids = _between(half, upper, lower)
    fill(layer, lids + middle, (244, 242, 238))
    for radius, colour in ((0.075, face.iris), (0.036, (18, 14, 12))):
        ring = oval(radius * unit, radius * unit)
        place = ring[:, 0] / half
        ring[:, 1] = np.clip(ring[:, 1], np.interp(place, ACROSS, upper), np.interp(place, ACROSS, lower))
        fill(layer, ring + middle, colour)
    if opening > 0.4:
        glint = oval(0.016 * unit, 0.016 * unit) + np.array([0.025, -0.02]) * unit
        fill(layer, glint + middle, (255, 255, 255))
    stroke(layer, lids[: len(ACROSS)] + middle, shade(face.hair, 0.5), 3)
    stroke(layer, lids[len(ACROSS) :] + middle, shade(face.skin, 0.68), 1)
    crease = np.column_stack([ACROSS * half * 1.05, upper * 0.9 - 0.045 * unit]) + middle
    stroke(layer, crease, shade(face.skin, 0.80), 1)


def _brow(layer: np.ndarray, face: Face, turn: np.ndarray, side: int, height: float, slant: float) -> None:
    """Draw one brow; `slant` > 0 lowers its inner end."""
    unit = HALF_HEIGHT
    across = np.linspace(-1, 1, 9)  # inner end to outer end
    middle = _moved(turn, side * (face.eye_gap + 0.01) * unit, (-0.275 - 0.10 * height) * unit)
    tilt = -0.095 * slant * across - 0.03 * (1 - across**2)
    line = np.column_stack([side * across * 0.175 * unit, tilt * unit])
    # Thick inside, thin outside.
    weight = face.brow_weight * unit * (1.0 - 0.35 * across) * (1 - 0.5 * np.abs(across) ** 4)
    half = np.column_stack([np.zeros_like(weight), weight / 2])
    upper, lower = line - half, line + half
    fill(layer, np.vstack([upper, lower[::-1]]) + middle, shade(face.hair, 0.7))


def _nose(layer: np.ndarray, face: Face, turn: np.ndarray, wrinkle: float) -> None:
    """Draw the nose, and folds across its root when it is wrinkled."""
    unit = HALF_HEIGHT
    tip = _moved(turn, 0, (face.nose_length - 0.03 * wrinkle) * unit)
    width = face.nose_width * unit * (1 + 0.18 * wrinkle)
    dark = shade(face.skin, 0.72)
    side = 1 if face.light < 0 else -1  # the shadow lies away from the light
    bridge = np.array([(0.35, -0.95), (0.42, -0.5), (0.75, -0.15), (1.0, 0.05)])
    flank = bridge * (side * width, face.nose_length * unit) + tip
    stroke(layer, flank, shade(face.skin, 0.82), 3)
    wings = np.array([(-1.0, -0.35), (-1.08, 0.1), (-0.7, 0.38), (-0.3, 0.25), (0, 0.42)])
    under = np.vstack([wings, wings[::-1] * (-1, 1)]) * (width, 0.07 * unit) + tip
    stroke(layer, under, dark, 2)
    for nostril in (-0.5, 0.5):
        hole = np.array([(-0.22, 0.1), (0, -0.08), (0.22, 0.1), (0, 0.25)]) * (width, 0.08 * unit)
        fill(layer, hole + tip + (nostril * width, 0.01 * unit), shade(face.skin, 0.45))
    if wrinkle > 0.1:
        for fold in (-0.62, -0.78, -0.94):
            height = fold * face.nose_length * unit - 2.5 * (1 - ACROSS**2)
            stroke(
                layer,
                np.column_stack([ACROSS * width * 0.75, height]) + tip,
                shade(face.skin, 1 - 0.30 * wrinkle),
                1,
            )
        for cheek in (-1, 1):
            arc = np.array([(1.15, -0.25), (1.5, 0.25), (1.9, 0.8)]) * (cheek * width, 0.16 * unit)
            stroke(layer, arc + tip, shade(face.skin, 1 - 0.32 * wrinkle), 2)


def _mouth(layer: np.ndarray, face: Face, turn: np.ndarray, expression: Expression, index: int) -> None:
    """Draw the mouth: lips, what an open mouth shows, and the folds beside a smile."""
    unit = HALF_HEIGHT
    curve = float(np.clip(expression.curve[index] + face.rest_curve, -1.1, 1.1))
    opening = float(expression.opening[index])
    # A disgusted upper lip goes up.
    lift = 0.045 * float(expression.wrinkle[index])
    half = face.mouth_width * unit * float(expression.width[index])
    half *= (1 + 0.14 * max(curve, 0)) * (1 - 0.12 * opening)
    middle = _moved(turn, 0, face.mouth_height * unit)
    arch = 1 - ACROSS**2
    line = 0.125 * unit * curve * (0.45 - ACROSS**2)
    upper = line - (0.045 * opening + lift) * unit * arch
    lower = line + 0.17 * opening * unit * arch
    thick = face.lip * unit * np.sqrt(np.clip(arch, 0, 1))
    bow = 1 - 0.28 * np.exp(-((ACROSS / 0.16) ** 2))  # the dip in the middle of the upper lip
    lips = _between(half, upper - thick * bow, lower + thick)
    red = (0.72 * face.skin[0] + 38, 0.52 * face.skin[1] + 12, 0.55 * face.skin[2] + 16)
    fill(layer, lips + middle, red)
    inside = _between(half * 0.96, upper, lower)
    if opening + 4 * lift > 0.12:
        fill(layer, inside + middle, (70, 24, 26))
        teeth = np.minimum(upper + 0.05 * unit * arch, upper + 0.6 * (lower - upper))
        fill(layer, _between(half * 0.85, upper, teeth) + middle, (226, 220, 210))
    else:
        stroke(layer, inside[: len(ACROSS)] + middle, shade(red, 0.55), 2)
    if curve > 0.25:
        for side in (-1, 1):
            fold = np.array([(0.95, -0.24), (1.18, -0.12), (1.26, 0.02)]) * (side * half, unit) + middle
            stroke(layer, fold, shade(face.skin, 1 - 0.22 * min(1.0, curve)), 2)


def _glasses(layer: np.ndarray, face: Face, turn: np.ndarray) -> None:
    """Draw thin glasses."""
    unit = HALF_HEIGHT
    for side in (-1, 1):
        middle = _moved(turn, side * face.eye_gap * unit, -0.08 * unit)
        stroke(layer, oval(0.24 * unit, 0.17 * unit) + middle, (60, 54, 50), 2)
    bridge = np.array([(-face.eye_gap + 0.24, -0.10), (0, -0.13), (face.eye_gap - 0.24, -0.10)]) * unit
    stroke(layer, bridge + turn, (60, 54, 50), 2)
