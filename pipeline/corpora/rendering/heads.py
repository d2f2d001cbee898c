"""Face identity -> the still part of a speaker's picture: head, hair, body, background.

It is drawn once per speaker, larger than it appears (`SHRINK`), on a transparent layer; the moving
features are drawn over it frame by frame (faces.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

WIDTH, HEIGHT = 320, 240  # pixels of a frame
LAYER = 420  # pixels, both ways
CENTRE = (210.0, 190.0)  # middle of the head in the layer
SHRINK = 0.70  # layer -> frame: edges drawn larger come out smoother
HALF_HEIGHT = 100.0  # of the head in the layer: 140 pixels of face height in the frame

Colour = tuple[float, float, float]
SKINS: tuple[Colour, ...] = (
    (232, 198, 172), (224, 184, 154), (219, 172, 136),
    (198, 148, 110), (170, 120, 86), (140, 96, 68),
)  # fmt: skip
HAIRS: tuple[Colour, ...] = (
    (40, 30, 26), (74, 50, 36), (112, 74, 44), (168, 124, 70),
    (206, 172, 112), (120, 56, 34), (150, 148, 148),
)  # fmt: skip
IRISES: tuple[Colour, ...] = ((74, 48, 30), (60, 84, 120), (70, 96, 62), (96, 72, 40))
# Hairstyle -> how far it reaches down the head (degrees from the crown), height of the hairline, how
# much the hairline leans to one side.
HAIRSTYLES = {
    "short": (78, -0.66, 0.0),
    "fringe": (88, -0.54, 0.0),
    "parted": (84, -0.62, 0.16),
    "long": (98, -0.62, 0.08),
    "thin": (72, -0.78, 0.0),
}


@dataclass(frozen=True)
class Face:
    """A speaker's face; lengths are shares of half the head's height unless said otherwise.

    `rest_*` are what the face shows when the person feels nothing in particular.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    shirt: Colour
    wall: Colour
    hairstyle: str
    beard: bool
    glasses: bool
    breadth: float
    jaw: float
    eye_gap: float
    eye_width: float
    brow_weight: float
    nose_length: float
    nose_width: float
    mouth_width: float
    mouth_height: float
    lip: float
    light: float
    contrast: float
    size: float
    rest_curve: float
    rest_eyes: float
    rest_brows: float
    rest_slant: float


def draw_face(rng: np.random.Generator) -> Face:
    """Draw a speaker's face."""
    wobble = rng.uniform(-10, 10, size=2)
    skin = np.array(SKINS[rng.integers(len(SKINS))]) + wobble[0]
    hair = np.array(HAIRS[rng.integers(len(HAIRS))]) + wobble[1]
    # Hair in the colour of the skin would leave no brows to be seen.
    hair = hair * min(1.0, 0.62 * skin.mean() / hair.mean())
    return Face(
        skin=_colour(skin),
        hair=_colour(hair),
        iris=IRISES[rng.integers(len(IRISES))],
        shirt=_colour(rng.uniform(40, 200, size=3)),
        wall=_colour(rng.uniform(90, 190) + rng.uniform(-25, 25, size=3)),
        hairstyle=list(HAIRSTYLES)[rng.integers(len(HAIRSTYLES))],
        beard=bool(rng.random() < 0.18),
        glasses=bool(rng.random() < 0.2),
        breadth=rng.uniform(0.70, 0.80),
        jaw=rng.uniform(0.06, 0.20),
        eye_gap=rng.uniform(0.29, 0.34),
        eye_width=rng.uniform(0.135, 0.165),
        brow_weight=rng.uniform(0.030, 0.058),
        nose_length=rng.uniform(0.22, 0.30),
        nose_width=rng.uniform(0.10, 0.14),
        mouth_width=rng.uniform(0.25, 0.31),
        mouth_height=rng.uniform(0.50, 0.56),
        lip=rng.uniform(0.050, 0.070),
        light=rng.uniform(-0.5, 0.5),
        contrast=rng.uniform(0.85, 1.03),
        size=rng.uniform(0.95, 1.06),
        rest_curve=rng.normal(0, 0.10),
        rest_eyes=rng.normal(1.0, 0.08),
        rest_brows=rng.normal(0, 0.12),
        rest_slant=rng.normal(0, 0.10),
    )


def _colour(values: np.ndarray) -> Colour:
    red, green, blue = (float(np.clip(value, 0, 255)) for value in values)
    return red, green, blue


@lru_cache(maxsize=4096)
def shade(colour: Colour, factor: float) -> Colour:
    """Return `colour` made darker (`factor` < 1) or lighter."""
    return _colour(np.array(colour) * factor)


def fill(image: np.ndarray, points: np.ndarray, colour: Colour) -> None:
    """Fill a polygon of `points` (points, 2), in pixels with fractions, anti-aliased and opaque."""
    cv2.fillPoly(image, [np.round(points * 16).astype(np.int32)], (*colour, 255), cv2.LINE_AA, 4)


def stroke(image: np.ndarray, points: np.ndarray, colour: Colour, thickness: int) -> None:
    """Draw a line through `points` (points, 2), in pixels with fractions, anti-aliased and opaque."""
    scaled = [np.round(points * 16).astype(np.int32)]
    cv2.polylines(image, scaled, False, (*colour, 255), thickness, cv2.LINE_AA, 4)


def oval(across: float, down: float) -> np.ndarray:
    """Return an ellipse around 0 with two half axes in pixels, (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, 33)
    return np.column_stack([np.cos(angle) * across, np.sin(angle) * down])


def outline(face: Face, grow: float = 1.0, first: float = -180, last: float = 180) -> np.ndarray:
    """Return the head's outline between two angles (degrees, 0 at the crown), (points, 2) pixels."""
    angle = np.radians(np.linspace(first, last, 72))
    down = -np.cos(angle)
    # The jaw narrows below the middle of the head.
    across = face.breadth * np.sin(angle) * (1 - face.jaw * np.clip(down, 0, 1) ** 1.5)
    return np.column_stack([across, down]) * HALF_HEIGHT * grow + CENTRE


def draw_layer(face: Face) -> np.ndarray:
    """Draw body, head, ears and hair; returns (LAYER, LAYER, 4) uint8 RGBA, premultiplied by alpha."""
    layer = np.zeros((LAYER, LAYER, 4), np.uint8)
    unit, (x, y) = HALF_HEIGHT, CENTRE
    if face.hairstyle == "long":
        sides = outline(face, 1.14)
        sides[:, 1] = np.where(sides[:, 1] > y, y + (sides[:, 1] - y) * 1.15, sides[:, 1])
        fill(layer, sides, shade(face.hair, 0.8))
    body = [(-1.75, 2.6), (-1.55, 1.75), (-1.0, 1.42), (-0.32, 1.25), (0.32, 1.25), (1.0, 1.42), (1.55, 1.75)]
    fill(layer, np.array([*body, (1.75, 2.6)]) * unit + (x, y), face.shirt)
    neck = np.array([(-0.34, 0.6), (0.34, 0.6), (0.36, 1.3), (0.0, 1.48), (-0.36, 1.3)]) * unit + (x, y)
    fill(layer, neck, shade(face.skin, 0.80))
    reach = HAIRSTYLES[face.hairstyle][0]
    # Behind the head: no wall is seen between the head and the hair over its temples.
    fill(layer, outline(face, 1.07, -reach, reach), face.hair)
    for side in (-1, 1):
        ear = oval(9, 19) + np.array([x + side * (face.breadth + 0.01) * unit, y])
        fill(layer, ear, shade(face.skin, 0.88))
    fill(layer, outline(face), face.skin)
    _light(layer, face)
    if face.beard:
        lower = outline(face, 1.0, 102, 258)
        upper = np.array([(-0.60, 0.25), (-0.42, 0.36), (0.0, 0.36), (0.42, 0.36), (0.60, 0.25)])
        whiskers = np.vstack([lower, upper * (face.breadth / 0.75, 1) * unit + (x, y)])
        fill(layer, whiskers, _colour(0.68 * np.array(face.skin) + 0.32 * np.array(face.hair)))
    _hair(layer, face)
    return layer


def _light(layer: np.ndarray, face: Face) -> None:
    """Shade the skin as a rounded head with the light from one side."""
    unit, (x, y) = HALF_HEIGHT, CENTRE
    rows, columns = np.mgrid[:LAYER, :LAYER]
    across, down = (columns - x) / (face.breadth * unit), (rows - y) / unit
    shape = 1.04 - 0.20 * (across - 0.6 * face.light) ** 2 - 0.12 * (down + 0.25) ** 2
    # Eyes lie deeper than brows and cheeks: without these shadows a pale face is hard to find.
    beside = np.abs(columns - x) / unit - face.eye_gap
    shape -= 0.13 * np.exp(-((beside / 0.17) ** 2) - ((down + 0.13) / 0.12) ** 2)
    # Below the lower lip.
    shape -= 0.08 * np.exp(-((across / 0.35) ** 2) - ((down - face.mouth_height - 0.19) / 0.06) ** 2)
    head = np.zeros((LAYER, LAYER, 4), np.uint8)
    fill(head, outline(face), (255, 255, 255))
    weight = head[..., :1] / 255.0
    factor = 1 + weight * (np.clip(shape, 0.6, 1.1)[..., None] - 1)
    layer[..., :3] = np.clip(layer[..., :3] * factor, 0, 255)


def _hair(layer: np.ndarray, face: Face) -> None:
    """Draw the hair that lies over the forehead."""
    reach, line, lean = HAIRSTYLES[face.hairstyle]
    crown = outline(face, 1.07, -reach, reach)
    across = np.linspace(1, -1, 40)
    edge = crown[-1, 0] - CENTRE[0]
    fall = (crown[-1, 1] - CENTRE[1]) / HALF_HEIGHT - line
    # Nearly straight over the forehead, down to the ends of the crown at the temples.
    low = line + lean * across + (fall - lean * np.sign(across)) * np.abs(across) ** 6
    front = np.column_stack([across * edge, low * HALF_HEIGHT]) + CENTRE
    fill(layer, np.vstack([crown, front]), face.hair)
    shine = outline(face, 1.0, -38 + 30 * face.light, 8 + 30 * face.light)
    stroke(layer, shine[::6], shade(face.hair, 1.18), 4)


@dataclass(frozen=True)
class Portrait:
    """A speaker's still picture: `draw_layer`'s layer, and `background` (HEIGHT, WIDTH, 3) uint8 RGB."""

    face: Face
    layer: np.ndarray
    background: np.ndarray


def draw_portrait(rng: np.random.Generator) -> Portrait:
    """Draw a speaker's face and the wall behind it."""
    face = draw_face(rng)
    return Portrait(face, draw_layer(face), draw_background(rng, face))


def draw_background(rng: np.random.Generator, face: Face) -> np.ndarray:
    """Draw the wall behind the speaker; returns (HEIGHT, WIDTH, 3) uint8 RGB."""
    wall = np.empty((HEIGHT, WIDTH, 3), np.float32)
    slope = np.linspace(1 + 0.15 * face.light, 1 - 0.15 * face.light, WIDTH)[None, :, None]
    wall[:] = np.array(face.wall) * slope
    for _ in range(int(rng.integers(1, 4))):
        left, top = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT))
        right, bottom = left + int(rng.integers(30, 90)), top + int(rng.integers(30, 120))
        cv2.rectangle(wall, (left, top), (right, bottom), shade(face.wall, rng.uniform(0.7, 1.2)), -1)
    # Out of focus: the camera is on the speaker.
    return np.clip(cv2.GaussianBlur(wall, (0, 0), 5), 0, 255).astype(np.uint8)
