"""Comparisons of a page -> which gains and losses may be called established, and which gain crossmodal.

The verdicts that a page states form one family: of the headline kind of predictions on test, each rival and
each crossmodal system minus the reference, each system that has controls minus these, and another form of a
system (`beside` in the catalogue) minus that system, for every scenario and dimension. Their p-values are
corrected together (Holm, 1979), so that the chance of any false verdict on the page is at most 1 -
confidence. Never on dev: there settings were chosen, and epochs may have been.

No member, and without a verdict, are systems that need all modalities when they are used, which bound what
can be reached and answer another question, and controls minus the reference, which only matter beside their
system. Each further member takes power from all others. Their differences have intervals and p as all have.

A gain of a system is crossmodal only if it is ahead of ALL its controls. Which of them comes closest is
not known beforehand, and choosing the closest is no multiple test that needs a correction: the hypothesis is
that some control is as good, and each has to be refuted at the full level (intersection-union test; Berger,
1982, DOI 10.1080/00401706.1982.10487790). So the controls of a system in one case are one member of the
family, with the largest p.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import Any, Literal

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from pipeline.catalogue.systems import REFERENCE, SYSTEMS, controls
from pipeline.scoring.signs import smallest_p

Verdict = Literal["gain", "loss", "none"]
Claim = Literal["crossmodal", "shared", "uncontrolled", "none"]
CASE = ["target", "auxiliary", "dimension"]


def with_holm(comparisons: pd.DataFrame, postprocessed: int) -> pd.DataFrame:
    """Add `p_holm` and `family`: the corrected p-value, and how many were corrected together.

    comparisons: rows of significance.csv with the columns of `CASE`, `postprocessed`, `fold` (empty for the
    result) and those of `pipeline.scoring.comparison`. postprocessed: the headline kind. Both columns are NaN
    where nothing may be called established: no verdict is stated, another kind, dev, single folds, too few
    units, one seed, or no p-value.
    """
    members: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(comparisons.to_dict("records")):
        if row["postprocessed"] == postprocessed and row["fold"] == "" and _may_be_established(row):
            beaten = "reference" if row["against"] == REFERENCE else "controls"
            members.setdefault((*(row[name] for name in CASE), row["system"], beaten), []).append(place)
    p, family = np.full((2, len(comparisons)), np.nan)
    if members:
        ps, differences = comparisons["p"].to_numpy(), comparisons["difference"].to_numpy()
        largest = [
            ps[places].max() if len(set(np.sign(differences[places]))) == 1 else 1.0
            for places in members.values()
        ]
        corrected = multipletests(largest, method="holm")[1]
        for places, value in zip(members.values(), corrected, strict=True):
            p[places], family[places] = value, len(members)
    return comparisons.assign(p_holm=p, family=family)


def stated(system: str, against: str) -> bool:
    """Say whether pages state a verdict on the difference of two systems."""
    entry = SYSTEMS[system]
    return against != REFERENCE or (entry.needs == "target" and entry.control_of is None)


def _may_be_established(row: Mapping[Any, Any]) -> bool:
    if not stated(row["system"], row["against"]):
        return False
    if row["partition"] != "test" or np.isnan(row["p"]) or not enough_units(row["units"], row["confidence"]):
        return False
    one_seed = np.isnan(row["seed_share"]) and row["difference"] != 0
    return not one_seed


def verdict(row: Mapping[Any, Any]) -> Verdict:
    """Judge one row of significance.csv."""
    if row["partition"] != "test" or not row["p_holm"] < 1 - row["confidence"]:  # NaN: never
        return "none"
    return "gain" if row["difference"] > 0 else "loss"


def claim(case: pd.DataFrame, system: str) -> Claim:
    """Say what kind of gain of a system a case shows; case: its rows of significance.csv.

    `none` is established over the reference; or one is and it is `crossmodal`, ahead of all controls; or not
    of all of them, `shared`; or not every control was trained, `uncontrolled`.
    """
    verdicts = {row["against"]: verdict(row) for row in case[case["system"] == system].to_dict("records")}
    if verdicts.get(REFERENCE) != "gain":
        return "none"
    needed = controls(system)
    if not needed or not set(needed) <= verdicts.keys():
        return "uncontrolled"
    return "crossmodal" if all(verdicts[name] == "gain" for name in needed) else "shared"


def fewest_units(confidence: float) -> int:
    """Return the smallest number of units that can establish anything."""
    return next(units for units in count(2) if enough_units(units, confidence))


def enough_units(units: int, confidence: float) -> bool:
    """Say whether that many units can establish anything.

    With fewer, chance alone makes all agree in sign more often than 1 - confidence; what an interval of so
    few claims beyond that rests on the normal distribution alone.
    """
    return units > 1 and smallest_p(units) < 1 - confidence
