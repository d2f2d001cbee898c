"""Gradients of a step and of a memory -> the step that does the memory no harm.

Gradient episodic memory: Lopez-Paz and Ranzato, NeurIPS 2017 (arXiv 1706.08840).

With g the gradient of a step and the rows of M those of the losses on what is remembered, the step goes along
the nearest z with M z >= 0. Its dual is a quadratic programme in as many values as there are memories,

    min_v 1/2 v' M M' v + g' M' v    with v >= margin,    z = g + M' v

where the margin, 0 in theory, favours the memory a little, as in the release.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

MARGIN = 0.01
MEMORY = 5120
"""Recordings that are remembered, at most."""


def projected(
    gradient: NDArray[np.float64], memories: NDArray[np.float64], margin: float = MARGIN
) -> NDArray[np.float64]:
    """Return the gradient to step along: as it is where no loss on a memory would rise.

    gradient: (weights,). memories: (memories, weights).
    """
    if (memories @ gradient >= 0).all():
        return gradient
    least = memories.T @ np.full(len(memories), margin)
    # v = margin + u: the programme is the least squares of |M' u + g + M' margin| with u >= 0
    u, _ = nnls(memories.T, -(gradient + least))
    return np.asarray(gradient + least + memories.T @ u)
