"""What a recogniser says of one recording: arrays, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Prediction:
    """The prediction of one recording.

    start, end: seconds, (rows,): from each label time to the next one, or the whole utterance; NaN as an end
    where the length is not known. valid: (rows,), False where the features do not describe the recording.
    by_seed: (seeds, rows), post-processed; of classes probabilities, (seeds, rows, classes).
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    valid: NDArray[np.bool_]
    by_seed: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.start)

    @property
    def values(self) -> NDArray[np.float64]:
        """Return the mean over seeds: (rows,), or probabilities (rows, classes)."""
        return np.asarray(self.by_seed.mean(axis=0))

    @property
    def codes(self) -> NDArray[np.int64]:
        """Return the class with the highest probability, (rows,)."""
        return np.asarray(self.values.argmax(axis=1))

    @property
    def seed_spread(self) -> NDArray[np.float64]:
        """Return the standard deviation over seeds (n - 1), (rows,); NaN for one seed.

        Of the value, or of the probability of the named class.
        """
        seeds, rows = self.by_seed.shape[:2]
        if seeds == 1:
            return np.full(rows, np.nan)
        named = self.by_seed if self.by_seed.ndim == 2 else self.by_seed[:, np.arange(rows), self.codes]
        return np.asarray(named.std(axis=0, ddof=1))

    def table(self, file: str, dimension: str, classes: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table with audformat's segmented index (file, start, end)."""
        import pandas as pd

        names = ("file", "start", "end")
        levels = (
            [file] * len(self),
            pd.to_timedelta(self.start, unit="s"),
            pd.to_timedelta(self.end, unit="s"),
        )
        index = pd.MultiIndex.from_arrays(levels, names=names)
        values, columns = self.values, {}
        if classes:
            columns[dimension] = np.array(classes, dtype=object)[self.codes]
            columns |= {f"{dimension}.{name}": values[:, code] for code, name in enumerate(classes)}
        else:
            columns[dimension] = values
        columns |= {f"{dimension}.seed_spread": self.seed_spread, "valid": self.valid}
        return pd.DataFrame(columns, index=index)
