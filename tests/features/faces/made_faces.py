"""Pictures of people that the demo draws, so that faces can be looked for where no real clips are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np

from pipeline.corpora.rendering import faces
from pipeline.corpora.rendering.expressions import Expression
from pipeline.corpora.rendering.heads import Portrait, draw_background, draw_face, draw_layer


def person(seed: int) -> Portrait:
    """Draw a person."""
    rng = np.random.default_rng(seed)
    face = replace(draw_face(rng), glasses=False, beard=False, size=1.0, contrast=1.0)
    return Portrait(face, draw_layer(face), draw_background(rng, face))


def talking(own: Portrait, count: int) -> Iterator[np.ndarray]:
    """Draw pictures of a person who talks, nods and sways, (240, 320, 3) each."""
    phase = 2 * np.pi * np.arange(count) / 12
    course = {item.name: np.zeros(count) for item in fields(Expression)}
    course |= {name: np.ones(count) for name in ("width", "eyes", "scale", "light")}
    course |= {
        "opening": 0.5 + 0.5 * np.sin(phase),
        "shift_x": 12 * np.sin(phase),
        "nod": 0.4 * np.cos(phase),
    }
    yield from faces.draw_frames(np.random.default_rng(0), own, Expression(**course))
