"""Small corpora and parameters of `matched`."""

import numpy as np
import torch

from pipeline.learning.systems.matched.autoencoders import Shape
from tests.learning.synthetic import clips, learning, sessions
from tests.learning.systems.test_taught import partly

ALL = ["classic", "matched", "matched_apart", "matched_all"]
SMALL = {"alpha": [0.5], "beta": [1.0], "hidden": 8, "latent": 4, "heads": 2, "times": 5, "span": 1.6}

SHAPE = Shape((5,), frames=7, layers=2, hidden=8, latent=4, heads=2, convolutions=2, outputs=1)


def settings(corpus="demo_sessions", matched=None, **groups):
    own = {"systems": ALL, "seeds": [2], "matched": SMALL | (matched or {})}
    return learning(corpus, **(own | groups))


def some_sessions(frames=30):
    return partly(sessions(frames=frames), lambda number: number <= 2)


def some_clips():
    return partly(clips(counts=(40, 24, 8)), lambda number: number <= 16)


def tensors(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))
