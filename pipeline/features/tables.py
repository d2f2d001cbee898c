"""A directory of feature rows: packed Parquet files and `index.json`, as stages exchange them.

Columns are `recording, start, end` (seconds, float64), one float32 column per feature, then
`valid`. Each recording is one row group, so that writing and reading hold one recording in memory.
Files hold up to `RECORDINGS_PER_FILE` recordings, chosen by the hash of the recording's name, so
that adding a recording changes one file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from dataclasses import dataclass


@dataclass(frozen=True)
class Rows:
    """The rows of one recording.

    start, end: seconds, (rows,) float64. values: (rows, features) float32. valid: (rows,) bool.
    names: the feature names, in the order of the columns of `values`.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    values: NDArray[np.float32]
    valid: NDArray[np.bool_]
    names: tuple[str, ...]
