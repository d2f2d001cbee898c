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
from pipeline.scoring.reliability import error_by_chance, reliability, reliability_sums
from pipeline.scoring.tested import DRAWS, SELECTION, curve_rows, debiased_interval, error_interval, joined

CLASS_COLUMNS = (
    "partition", "selection", "temperature", "dev_utterances", "ece_before", "before_low", "before_high",
    "ece", "ece_low", "ece_high", "ece_by_chance", "debiased", "debiased_low", "debiased_high", "confidence",
    "n", "unit", "units",
)  # fmt: skip
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
    def curve(parts: Sequence[TestedClasses]) -> list[dict[str, float]]:
        """Return the reliability curve before and after (`calibrated` 0 and 1), one row per bin."""
        own, rows = joined(parts), []
        for number, scores in enumerate((own.before, own.after)) if own.partition else ():
            rows += curve_rows(number, reliability(scores, own.gold))
        return rows

    @staticmethod
    def row(parts: Sequence[TestedClasses], params: Evaluation, unit: str) -> dict[str, Any]:
        """Return the values of `CLASS_COLUMNS`, over all `parts` (folds) together."""
        own = joined(parts)
        one = len(parts) == 1
        names, places = np.unique(own.units, return_inverse=True)
        errors, debiased, chance = [NAN] * 6, (NAN,) * 3, NAN
        if own.partition:
            errors = [
                value
                for scores in (own.before, own.after)
                for value in error_interval(reliability_sums(scores, own.gold, places), params.confidence)
            ]
            sums = reliability_sums(own.after, own.gold, places)
            debiased = debiased_interval(sums, params.confidence)
            chance = error_by_chance(own.after.max(axis=1), DRAWS, params.seed)
        selection = SELECTION.get(own.partition, "")
        values: tuple[Any, ...] = (
            own.partition, selection, own.temperature.value if one else NAN,
            own.temperature.utterances if one else NAN, *errors, chance, *debiased, params.confidence,
            len(own.gold), unit, len(names),
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
