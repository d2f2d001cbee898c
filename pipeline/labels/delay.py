"""Gold standard -> labels without the raters' delay, and predictions back to the raters' time.

Raters react late: what is seen at time t is rated at t + delay. Labels are therefore moved forward
against the features, and predictions are moved back before they are scored on the gold standard as
it was. Values that a shift leaves open are held from the edge; zeros would bias the end of each
recording. Source: EmoBed, section IV-A; Mariooryad and Busso, doi 10.1109/TAFFC.2014.2334294.
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
    return gold_standard[_moved(len(gold_standard), frames, +1)]


def shift_back(prediction: NDArray[np.float64], frames: int) -> NDArray[np.float64]:
    """Return predictions in the raters' time: row k is the prediction at k - `frames`, the first held.

    Undoes `shift` except for the first `frames` values, which the shift had dropped.

    Args:
        prediction: (frames of the recording, ...).
        frames: the delay, not negative.

    Raises:
        ValueError: the delay is negative.
    """
    return prediction[_moved(len(prediction), frames, -1)]


def _moved(length: int, frames: int, sign: int) -> NDArray[np.int64]:
    if frames < 0:
        raise ValueError(f"found a delay of {frames} frames, expected 0 or more")
    return np.clip(np.arange(length) + sign * frames, 0, max(length - 1, 0))
