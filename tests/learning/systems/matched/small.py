"""Small corpora and parameters of `matched`."""

from pipeline.learning.systems.matched.autoencoders import Shape
from tests.learning.synthetic import learning

ALL = ["classic", "matched", "matched_apart", "matched_all"]
SMALL = {"alpha": [0.5], "beta": [1.0], "hidden": 8, "latent": 4, "heads": 2, "times": 5, "span": 1.6}

SHAPE = Shape((5,), frames=7, layers=2, hidden=8, latent=4, heads=2, convolutions=2, outputs=1)


def settings(corpus="demo_sessions", matched=None, **groups):
    own = {"systems": ALL, "seeds": [2], "matched": SMALL | (matched or {})}
    return learning(corpus, **(own | groups))
