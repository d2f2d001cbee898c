"""Gold standard -> labels without the raters' delay.

Raters react late: what is seen at time t is rated at t + delay. Labels are therefore moved forward
against the features, and predictions are moved back (`pipeline.learning.dev_scores.shift_back`) before they
are scored on the gold standard as it was. Values that a shift leaves open are held from the edge; zeros would
bias the end of each recording. Source: EmoBed, section IV-A; Mariooryad and Busso,
doi 10.1109/TAFFC.2014.2334294.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def shift(gold_standard: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Return labels: label k is the gold standard at frame k + `frames`, the last value held.

    Args:
        gold_standard: (frames of the recording, ...).
        frames: the delay, not negative.

    Raises:
        ValueError: the delay is negative.
    """
    if frames < 0:
        raise ValueError(f"found a delay of {frames} frames, expected 0 or more")
    last = max(len(gold_standard) - 1, 0)
    return gold_standard[np.minimum(np.arange(len(gold_standard)) + frames, last)]
