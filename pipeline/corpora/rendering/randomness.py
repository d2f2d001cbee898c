"""Seeded randomness: numbers that name a recording -> its own generator, and smooth noise.

Each recording and purpose has a generator of its own, so that adding a speaker, or drawing one
number more for a face, changes no other recording's bytes.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from pipeline.corpora.recording import PARTITIONS, Partition

CORPORA = ("demo_sessions", "demo_clips")
PURPOSES = ("emotion", "voice", "face", "raters", "plan")


def generator(
    seed: int, corpus: str, partition: Partition | None, speaker: int, purpose: str, utterance: int = 0
) -> np.random.Generator:
    """Return the generator of one recording and purpose.

    Args:
        seed: seed of all demo corpora
        corpus: one of `CORPORA`
        partition: partition of the speaker; None for what all recordings share (the raters)
        speaker: number of the speaker within the partition, from 0
        purpose: one of `PURPOSES`
        utterance: number of the utterance, from 1; 0 stands for the speaker

    Raises:
        ValueError: `corpus`, `partition` or `purpose` is unknown.
    """
    return np.random.default_rng(
        [
            seed % 2**32,  # SeedSequence takes no negative numbers
            CORPORA.index(corpus),
            len(PARTITIONS) if partition is None else PARTITIONS.index(partition),
            speaker,
            PURPOSES.index(purpose),
            utterance,
        ]
    )


def smooth_noise(rng: np.random.Generator, steps: int, width: float, rows: int = 1) -> np.ndarray:
    """Draw stationary Gaussian noise smoothed by a Gaussian kernel, mean 0 and variance 1.

    Args:
        rng: source of the noise
        steps: length of the result
        width: standard deviation of the kernel, in steps
        rows: number of independent signals

    Returns:
        array of shape (rows, steps)
    """
    # Noise is drawn over the kernel's reach (4 widths) on both sides: no edge effects, and the
    # variance is that of the process, not forced onto each short excerpt.
    reach = int(np.ceil(4 * width))
    white = rng.standard_normal((rows, steps + 2 * reach))
    smooth = gaussian_filter1d(white, width, axis=1, mode="constant")[:, reach : reach + steps]
    # White noise through a Gaussian kernel of width w has variance 1 / (2 w sqrt(pi)).
    return smooth * np.sqrt(2 * width * np.sqrt(np.pi))
