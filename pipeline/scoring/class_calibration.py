"""Mean class probabilities of dev and test -> a temperature, and the calibration error with and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.learning.temperature import Temperature, calibrated, fit_temperature
from pipeline.params import Evaluation
from pipeline.scoring.intervals import jackknife, score_interval
from pipeline.scoring.reliability import calibration_error, error_by_chance, reliability, reliability_sums

CLASS_COLUMNS = (
    "partition", "selection", "temperature", "dev_utterances", "ece_before", "before_low", "before_high",
    "ece", "ece_low", "ece_high", "ece_by_chance", "confidence", "n", "unit", "units",
)  # fmt: skip
DRAWS = 1000
"""Of outcomes, for the error that chance alone makes."""
NAN = float("nan")


@dataclass(frozen=True)
class TestedClasses:
    """A temperature, and the utterances on which it is tested.

    partition: empty where neither test nor dev has gold standard. before, after: probabilities, (rows,
    classes). gold: codes. units: names, (rows,).
    """

    temperature: Temperature
    partition: str
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    gold: NDArray[np.int64]
    units: NDArray[np.str_]

    @staticmethod
    def joined(parts: Sequence[TestedClasses]) -> TestedClasses:
        """Put the utterances of several folds together; the temperature is that of the first."""
        known = [part for part in parts if part.partition] or list(parts[:1])
        arrays = [
            np.concatenate([getattr(part, name) for part in known])
            for name in ("before", "after", "gold", "units")
        ]
        return TestedClasses(parts[0].temperature, known[0].partition, *arrays)

    @staticmethod
    def curve(parts: Sequence[TestedClasses]) -> list[dict[str, Any]]:
        """Return the reliability curve before and after (`calibrated` 0 and 1), one row per bin."""
        joined, rows = TestedClasses.joined(parts), []
        for number, scores in enumerate((joined.before, joined.after)) if joined.partition else ():
            found = reliability(scores, joined.gold)
            for bin_of in zip(found.confidence, found.accuracy, found.share, strict=True):
                values = dict(zip(("confidence", "accuracy", "share"), bin_of, strict=True))
                rows.append({"calibrated": number} | values)
        return rows

    @staticmethod
    def row(parts: Sequence[TestedClasses], params: Evaluation, unit: str) -> dict[str, Any]:
        """Return the values of `CLASS_COLUMNS`, over all `parts` (folds) together."""
        joined = TestedClasses.joined(parts)
        one = len(parts) == 1
        names, places = np.unique(joined.units, return_inverse=True)
        errors = [NAN] * 6
        chance = NAN
        if joined.partition:
            errors = [
                value
                for scores in (joined.before, joined.after)
                for value in _error(scores, joined.gold, places, params.confidence)
            ]
            chance = error_by_chance(joined.after.max(axis=1), DRAWS, params.seed)
        selection = {"test": "dev", "dev": "leave_one_out"}.get(joined.partition, "")
        values: tuple[Any, ...] = (
            joined.partition, selection, joined.temperature.value if one else NAN,
            joined.temperature.utterances if one else NAN, *errors, chance, params.confidence,
            len(joined.gold), unit, len(names),
        )  # fmt: skip
        return dict(zip(CLASS_COLUMNS, values, strict=True))


def tested_classes(mean: pd.DataFrame, names: Sequence[str]) -> TestedClasses:
    """Fit on dev, and test on test, or where it has no gold standard on each unit of dev by the others.

    mean: as from `pipeline.scoring.averaged.average`, with the `unit` of each row. names: columns of scores.
    """
    known = mean[mean["gold"].notna()]
    dev, test = (known[known["partition"] == name] for name in ("dev", "test"))
    temperature = fit_temperature(*_arrays(dev, names))
    if len(test):
        before, gold = _arrays(test, names)
        return TestedClasses(
            temperature,
            "test",
            before,
            calibrated(before, temperature.value),
            gold,
            test["unit"].to_numpy(str),
        )
    before, gold = _arrays(dev, names)
    units = dev["unit"].to_numpy(str)
    after = np.empty_like(before)
    for unit in np.unique(units):
        own = units == unit
        after[own] = calibrated(before[own], fit_temperature(before[~own], gold[~own]).value)
    return TestedClasses(temperature, "dev" if len(dev) else "", before, after, gold, units)


def _arrays(rows: pd.DataFrame, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    return rows[list(names)].to_numpy(np.float64), rows["gold"].to_numpy(np.float64).astype(np.int64)


def _error(
    scores: NDArray[np.float64], gold: NDArray[np.int64], places: NDArray[np.int_], confidence: float
) -> tuple[float, float, float]:
    """Return the calibration error with its interval, from the jackknife over units."""
    sums = reliability_sums(scores, gold, places)[None]  # one "seed": what is scored is the mean over seeds
    found = score_interval(jackknife(sums, calibration_error), confidence, "share")
    return found.value, found.low, found.high
