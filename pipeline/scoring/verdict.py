"""A comparison with the reference -> whether a gain or a loss may be called established.

Two tests must agree, both two-sided: the bootstrap interval of the difference over units and seeds excludes
zero, and the sign-flip test over units is below 1 - confidence. The interval is too narrow with few units;
the sign-flip test is exact there, but compares each unit's own score. Only on test: on dev the weights were
chosen, so that systems with more points to choose from are ahead for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pipeline.scoring.bootstrap import smallest_p

Verdict = Literal["gain", "loss", "none"]


def verdict(row: Mapping[Any, Any]) -> Verdict:
    """Judge one row of a comparison (`pipeline.scoring.comparison.COMPARISON_COLUMNS`)."""
    if row["partition"] != "test" or not row["p_speakers"] < 1 - row["confidence"]:  # NaN: never
        return "none"
    if row["low"] > 0 and row["difference_speakers"] > 0:
        return "gain"
    if row["high"] < 0 and row["difference_speakers"] < 0:
        return "loss"
    return "none"


def enough_units(units: int, confidence: float) -> bool:
    """Say whether that many units can establish anything: with fewer, chance alone makes all agree."""
    return units > 1 and smallest_p(units) < 1 - confidence
