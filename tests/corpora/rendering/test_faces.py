from dataclasses import fields, replace

import numpy as np
import pytest

from pipeline.corpora.rendering import faces
from pipeline.corpora.rendering.emotion import Course
from pipeline.corpora.rendering.expressions import Expression, frame_times, session_expression
from pipeline.corpora.rendering.heads import HEIGHT, WIDTH, Portrait, draw_background, draw_face, draw_layer

NEUTRAL = {item.name: 0.0 for item in fields(Expression)} | {
    "width": 1.0,
    "eyes": 1.0,
    "scale": 1.0,
    "light": 1.0,
}
# The eyes' row in the frame of a head at rest: 0.10 of half the head above its middle.
EYES = slice(80, 110)
MOUTH = slice(125, 165)


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    rng = np.random.default_rng(3)
    face = replace(
        draw_face(rng), glasses=False, beard=False, rest_curve=0.0, rest_eyes=1.0, size=1.0, contrast=1.0,
        skin=(219.0, 172.0, 136.0),
    )  # fmt: skip
    return Portrait(face, draw_layer(face), draw_background(rng, face))


def frame(portrait: Portrait, **expression: float) -> np.ndarray:
    values = {name: np.array([value]) for name, value in (NEUTRAL | expression).items()}
    return next(faces.draw_frames(np.random.default_rng(0), portrait, Expression(**values)))


def mouth_curve(image: np.ndarray) -> float:
    """Pixels by which the mouth's corners lie above its middle, from the redness of its rows."""
    area = image[MOUTH].astype(float)
    skin = np.median(area[:, 130:190].reshape(-1, 3), axis=0)
    lips = np.maximum((area[..., 0] - area[..., 1]) - (skin[0] - skin[1]) - 12, 0)
    columns = np.flatnonzero(lips[:, 110:210].sum(axis=0) > 20) + 110
    rows = np.arange(lips.shape[0])
    heights = [(lips[:, c] * rows).sum() / lips[:, c].sum() for c in columns]
    fifth = max(1, len(heights) // 5)
    return float(np.mean(heights[2 * fifth : 3 * fifth]) - np.mean(heights[:fifth] + heights[-fifth:]))


def test_frame_is_an_image(portrait):
    image = frame(portrait)
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image.dtype == np.uint8


def test_mouth_curves_with_the_curve(portrait):
    curves = [mouth_curve(frame(portrait, curve=value)) for value in (-0.8, 0.0, 0.8)]
    assert curves[0] < curves[1] - 2 < curves[2] - 4


def test_open_mouth_and_eyes_change_their_own_region_only(portrait):
    still = frame(portrait).astype(int)
    spoken, blinked = frame(portrait, opening=0.9).astype(int), frame(portrait, eyes=0.1).astype(int)
    assert np.abs(spoken - still)[MOUTH].max() > 60
    assert np.abs(spoken - still)[EYES].max() == 0
    assert np.abs(blinked - still)[EYES].max() > 60
    assert np.abs(blinked - still)[MOUTH].max() == 0


def test_head_moves_by_the_shift(portrait):
    still, moved = frame(portrait).astype(float), frame(portrait, shift_x=10.0).astype(float)
    middle = np.s_[60:150, 120:200]
    right = np.s_[60:150, 130:210]
    assert np.abs(moved[right] - still[middle]).mean() < 5
    assert np.abs(moved[middle] - still[middle]).mean() > 8


def expression_of(arousal: float, valence: float) -> Expression:
    time = np.arange(-150, 1001) * 0.04
    course = Course(time, np.full(len(time), arousal), np.full(len(time), valence))
    mouth = np.linspace(0, 1, 4001)
    return session_expression(np.random.default_rng(4), course, mouth, frame_times(40.0, 5.0))


def test_valence_drives_mouth_and_arousal_the_eyes():
    low, high = expression_of(0.0, -0.15), expression_of(0.0, 0.3)
    assert (high.curve - low.curve).mean() > 0.5
    assert (low.slant - high.slant).mean() > 0.1
    calm, aroused = expression_of(-0.3, 0.1), expression_of(0.3, 0.1)
    assert (aroused.eyes - calm.eyes).mean() > 0.1
    assert abs((aroused.curve - calm.curve).mean()) < 1e-9


def test_mouth_opens_with_the_voice():
    face = expression_of(0.0, 0.1)
    np.testing.assert_allclose(face.opening, 0.75 * np.linspace(0, 39.8 / 40, 200), atol=1e-9)


def test_eyes_blink():
    face = expression_of(0.0, 0.1)
    assert (face.eyes < 0.6).any()
    assert (face.eyes > 0.7).mean() > 0.8
