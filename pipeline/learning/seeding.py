"""One explicit seed -> independent streams of random numbers, one for each purpose.

A stream is named (`"batches", "target"`), so that a model's start weights do not depend on how many
features the other modality has, and its batches not on which models are trained beside it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def stream_seed(seed: int, *names: str) -> int:
    """Derive the seed of the stream `names` from the seed of a model, 0 ... 2**63 - 1."""
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def numpy_stream(seed: int, *names: str) -> np.random.Generator:
    """Return NumPy's generator for the stream `names`."""
    return np.random.default_rng(stream_seed(seed, *names))


def torch_stream(seed: int, *names: str) -> torch.Generator:
    """Return PyTorch's generator (on the CPU) for the stream `names`."""
    import torch  # here: who draws recordings alone need not wait for it

    return torch.Generator().manual_seed(stream_seed(seed, *names))
