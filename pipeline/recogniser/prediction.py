"""What a recogniser says of one recording: arrays, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.corpora.label_sets import codes_of, joined
from pipeline.learning.prediction_file import THRESHOLD
from pipeline.store.same_values import SameValues

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.recogniser.description import Calibration, Domain


@dataclass(frozen=True, eq=False)
class Prediction(SameValues):
    """The prediction of one recording.

    start, end: seconds, (rows,): from each label time to the next one, or the whole utterance; NaN as an end
    where the length is not known. valid: (rows,), False where the features do not describe the recording.
    by_seed: (seeds, rows), post-processed; of classes probabilities, (seeds, rows, classes), not calibrated.
    several: a row may have any number of the classes; thresholds: above which each is named. calibration,
    domain: of the recogniser. beyond: share of the recording's values beyond those that train's features
    usually have; NaN if not known. label_range: the lowest and the highest label that a trace was learnt
    from; None if not known.
    """

    start: NDArray[np.float64]
    end: NDArray[np.float64]
    valid: NDArray[np.bool_]
    by_seed: NDArray[np.float64]
    calibration: Calibration | None = None
    beyond: float = float("nan")
    domain: Domain | None = None
    several: bool = False
    thresholds: tuple[float, ...] | None = None
    label_range: tuple[float, float] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.start)

    @property
    def values(self) -> NDArray[np.float64]:
        """Return the mean over seeds: (rows,), or calibrated probabilities, (rows, classes)."""
        mean = np.asarray(self.by_seed.mean(axis=0))
        if self.calibration is not None and self.calibration.lines is not None:
            from pipeline.scoring.platt import on_lines

            return on_lines(mean, self.calibration.lines)
        if self.calibration is None or self.calibration.temperature is None:
            return mean
        from pipeline.learning.temperature import calibrated

        return calibrated(mean, self.calibration.temperature)

    @property
    def interval(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of the interval around each value, (rows,) each; NaN where there is none."""
        reach = None if self.calibration is None else self.calibration.reach
        half = np.nan if reach is None else reach
        return self.values - half, self.values + half

    @property
    def beyond_labels(self) -> NDArray[np.bool_] | None:
        """Return which values lie beyond every label that was learnt from, (rows,); None if not known.

        Values are left as they are: a little beyond is a side of regression, far beyond that of features
        unlike any of training, which a value that was cut off would hide.
        """
        if self.label_range is None:
            return None
        low, high = self.label_range
        values = self.values
        return np.asarray((values < low) | (values > high))

    @property
    def out_of_domain(self) -> bool:
        """Say whether the recording is further from train's features than those of dev usually are."""
        limit = None if self.domain is None else self.domain.limit
        return limit is not None and self.beyond > limit

    @property
    def codes(self) -> NDArray[np.int64]:
        """Return the class with the highest probability, (rows,); of several the code of their set.

        A class is in it if its probability is above its threshold before calibration, as it was learned.
        """
        if self.several:
            above = THRESHOLD if self.thresholds is None else np.array(self.thresholds)
            return codes_of(self.by_seed.mean(axis=0) > above).astype(np.int64)
        return np.asarray(self.by_seed.mean(axis=0).argmax(axis=1))

    @property
    def seed_spread(self) -> NDArray[np.float64]:
        """Return the standard deviation over seeds (n - 1), (rows,); NaN for one seed.

        Of the value, or of the probability of the named class as each seed gives it, before calibration; of
        several classes the mean over all of them.
        """
        seeds, rows = self.by_seed.shape[:2]
        if seeds == 1:
            return np.full(rows, np.nan)
        if self.several:
            return np.asarray(self.by_seed.std(axis=0, ddof=1).mean(axis=-1))
        named = self.by_seed if self.by_seed.ndim == 2 else self.by_seed[:, np.arange(rows), self.codes]
        return np.asarray(named.std(axis=0, ddof=1))

    def table(self, file: str, dimension: str, classes: Sequence[str] = ()) -> pd.DataFrame:
        """Return a table with audformat's segmented index (file, start, end)."""
        import pandas as pd

        index = segments(file, self.start, self.end)
        values, columns = self.values, {}
        if classes:
            named = joined(self.codes, classes) if self.several else np.array(classes, object)[self.codes]
            columns[dimension] = np.array(named, object)
            columns |= {f"{dimension}.{name}": values[:, code] for code, name in enumerate(classes)}
        else:
            columns[dimension] = values
            columns[f"{dimension}.low"], columns[f"{dimension}.high"] = self.interval
            if self.beyond_labels is not None:
                columns[f"{dimension}.beyond_labels"] = self.beyond_labels
        columns[f"{dimension}.seed_spread"] = self.seed_spread
        columns["out_of_domain"] = np.full(len(self), self.beyond)
        columns["out_of_domain.flag"] = np.full(len(self), self.out_of_domain)
        columns["valid"] = self.valid
        return pd.DataFrame(columns, index=index)


def segments(file: str, start: NDArray[np.float64], end: NDArray[np.float64]) -> pd.MultiIndex:
    """Return audformat's segmented index for parts of one file; start, end: seconds, (rows,) each."""
    import pandas as pd

    files = pd.Index([file] * len(start), dtype=object)
    times = [pd.to_timedelta(seconds, unit="s") for seconds in (start, end)]
    return pd.MultiIndex.from_arrays([files, *times], names=["file", "start", "end"])
