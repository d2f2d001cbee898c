"""Mean probabilities of labels on dev and test -> a line for each class, and errors with and without it.

Of several labels each has its own error: the mean over bins of probability of how far the share of present
labels is from the mean probability (Guo et al., 2017, of the label rather than of the predicted class).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.label_sets import matrix_of
from pipeline.params import Evaluation
from pipeline.scoring.platt import Line, fit_line, on_lines
from pipeline.scoring.reliability import error_by_chance, probability_sums, reliability_of
from pipeline.scoring.tested import DRAWS, SELECTION, curve_rows, debiased_interval, error_interval, joined

SET_COLUMNS = (
    "class", "partition", "selection", "slope", "offset", "dev_utterances", "ece_before", "before_low",
    "before_high", "ece", "ece_low", "ece_high", "ece_by_chance", "debiased", "debiased_low", "debiased_high",
    "confidence", "n", "unit", "units",
)  # fmt: skip
NAN = float("nan")


@dataclass(frozen=True)
class TestedSets:
    """The lines of all classes, and the utterances on which they are tested.

    partition: empty where neither test nor dev has gold standard. before, after: probabilities, (rows,
    classes). present: (rows, classes). units: names, (rows,).
    """

    lines: tuple[Line, ...]
    partition: str
    before: NDArray[np.float64]
    after: NDArray[np.float64]
    present: NDArray[np.bool_]
    units: NDArray[np.str_]

    @staticmethod
    def curve(parts: Sequence[TestedSets]) -> list[dict[str, float]]:
        """Return the reliability curve of all classes together, as `TestedClasses.curve`."""
        own, rows = joined(parts), []
        for number, scores in enumerate((own.before, own.after)) if own.partition else ():
            sums = probability_sums(scores.ravel(), own.present.ravel(), np.zeros(scores.size, int))[0]
            rows += curve_rows(number, reliability_of(sums))
        return rows

    @staticmethod
    def rows(
        parts: Sequence[TestedSets], classes: Sequence[str], params: Evaluation, unit: str
    ) -> list[dict[str, Any]]:
        """Return the values of `SET_COLUMNS` of each class, over all `parts` (folds) together."""
        own = joined(parts)
        one = len(parts) == 1
        names, places = np.unique(own.units, return_inverse=True)
        selection = SELECTION.get(own.partition, "")
        found = []
        for code, name in enumerate(classes):
            errors, debiased, chance = [NAN] * 6, (NAN,) * 3, NAN
            if own.partition:
                errors = [
                    value
                    for scores in (own.before, own.after)
                    for value in error_interval(
                        probability_sums(scores[:, code], own.present[:, code], places), params.confidence
                    )
                ]
                sums = probability_sums(own.after[:, code], own.present[:, code], places)
                debiased = debiased_interval(sums, params.confidence)
                chance = error_by_chance(own.after[:, code], DRAWS, params.seed)
            line = own.lines[code] if one else Line(NAN, NAN, 0)
            values: tuple[Any, ...] = (
                name, own.partition, selection, line.slope, line.offset, line.utterances if one else NAN,
                *errors, chance, *debiased, params.confidence, len(own.present), unit, len(names),
            )  # fmt: skip
            found.append(dict(zip(SET_COLUMNS, values, strict=True)))
        return found


def tested_sets(mean: pd.DataFrame, names: Sequence[str]) -> TestedSets:
    """Fit on dev, and test on test, or where it has no gold standard on each unit of dev by the others.

    mean: as from `pipeline.scoring.averaged.average`, with the `unit` of each row. names: columns of scores.
    """
    known = mean[mean["gold"].notna()]
    dev, test = (known[known["partition"] == name] for name in ("dev", "test"))
    before, present = _arrays(dev, names)
    lines = _lines(before, present)
    if len(test):
        scores, truth = _arrays(test, names)
        return TestedSets(lines, "test", scores, on_lines(scores, lines), truth, test["unit"].to_numpy(str))
    units = dev["unit"].to_numpy(str)
    after = np.empty_like(before)
    for unit in np.unique(units):
        own = units == unit
        after[own] = on_lines(before[own], _lines(before[~own], present[~own]))
    return TestedSets(lines, "dev" if len(dev) else "", before, after, present, units)


def _lines(scores: NDArray[np.float64], present: NDArray[np.bool_]) -> tuple[Line, ...]:
    return tuple(fit_line(scores[:, code], present[:, code]) for code in range(scores.shape[1]))


def _arrays(rows: pd.DataFrame, names: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return rows[list(names)].to_numpy(np.float64), matrix_of(rows["gold"].to_numpy(np.float64), len(names))
