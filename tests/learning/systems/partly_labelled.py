"""Small corpora of which some recordings of train have labels, for systems that learn from the others too."""

import dataclasses

import numpy as np
import torch

from tests.learning.synthetic import clips, sessions


def partly(corpus, keep):
    """Return a corpus with labels of only those train recordings whose number `keep` takes."""
    names = corpus.labels["recording"]
    number = names.str.rpartition("_")[2].astype(int)
    seen = ~names.str.startswith("train") | number.map(keep)
    return dataclasses.replace(corpus, labels=corpus.labels[seen])


def some_sessions(frames=30):
    return partly(sessions(frames=frames), lambda number: number <= 2)


def some_clips():
    return partly(clips(counts=(40, 24, 8)), lambda number: number <= 16)


def tensors(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))
