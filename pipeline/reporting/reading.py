"""How the table of differences is to be read: intervals, tests, and how often they are wrong."""

from __future__ import annotations

import pandas as pd

from pipeline.catalogue.systems import MARK, REFERENCE, SYSTEMS, in_order, label
from pipeline.catalogue.tasks import TASKS
from pipeline.reporting.compared import comparisons, control_comparisons, reported, unit_name, units_name
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import counted, number
from pipeline.wording import listed

PAPER_TEST_WRONG = {"regression": "49 to 88 %", "classification": "0 to 49 %"}
"""How often the paper's test is significant at .05 for equal systems: benchmarks/false_alarms.py."""

OWN_SCORE = {"regression": "CCC", "classification": "accuracy", "multilabel": "share of right answers"}

SIMULATED_UNITS = (6, 27)
SIMULATED_SEEDS = 3
"""For which benchmarks/false_alarms.py measured how often intervals are wrong; seeds: at least."""


def interval_sentence(inputs: ReportInputs) -> str:
    """Say what the intervals come from, a clause for the end of the sentence on means; may be empty."""
    table = comparisons(inputs)
    if table.empty:
        return ""
    text = (
        f"; intervals come from the jackknife over n = {int(table['units'].max())} {units_name(table)} and "
        "the standard error over seeds"
    )
    if inputs.folds:
        text += ", on the test predictions of all folds together (not means over folds)"
    return text


def reading_sentences(inputs: ReportInputs) -> list[str]:
    """Say how the table of differences is to be read: family, sign-flip test, folds, the paper's test.

    For below the table; empty where nothing was compared.
    """
    table = reported(inputs)
    if table.empty:
        return []
    confidence = float(table["confidence"].iloc[0])
    unit, units = unit_name(table), int(table["units"].max())
    found = [
        f"Each interval is that of one difference by itself, at {confidence * 100:g} %: from the jackknife "
        f"over {unit}s (n = {units}) and the standard error over seeds, with Student’s t. {_simulated(table)}"
    ]
    recordings = table["recordings"].unique()
    if len(recordings) > 1:
        found.append(
            "Systems that need all modalities predict fewer recordings; each comparison is over those that "
            f"both systems predict ({int(recordings.min())} to {int(recordings.max())})."
        )
    if inputs.partition != "test":
        return found
    family = table["family"].max()
    if not pd.isna(family):
        others = control_comparisons(inputs)
        forms = [SYSTEMS[name].beside == other for name, other in others[["system", "against"]].to_numpy()]
        own = [label(name) for name in in_order(others.loc[[not form for form in forms], "system"])]
        controlled = "".join(
            f"{',' if own else ' and'} {label(name)} against {label(other)}"
            for name, other in others.loc[forms, ["system", "against"]].drop_duplicates().to_numpy()
        )
        if own:
            controlled += (
                f" and, as one each, {listed(own)} against all controls of its own, which takes the largest "
                "p of these"
            )
        found.append(
            f"p (Holm) is corrected for the {counted(int(family), 'verdict')} of this page: every system "
            f"against {label(REFERENCE)}{controlled}. A verdict needs it to be below "
            f"{number(1 - confidence)}. None is stated, so none is corrected for, on a control against "
            f"{label(REFERENCE)} and on systems that need all modalities ({MARK})."
        )
    score = OWN_SCORE[inputs.corpus.task]
    found.append(
        f"Sign-flip: does each {unit}’s own {score} (mean over seeds) rise more often and further than "
        f"chance would have it? {unit.capitalize()}s count alike, two-sided, exact for up to 13."
    )
    if (table["seed_share"] > 0.5).any():
        found.append(
            "It takes these seeds as given, and in "
            f"{counted(int((table['seed_share'] > 0.5).sum()), 'comparison')} more of the uncertainty comes "
            f"from seeds than from {unit}s: there its p is too small."
        )
    if table["p_folds"].notna().any():
        found.append(
            "p over folds: the corrected resampled t-test (Nadeau and Bengio, 2003), which allows for "
            f"training sets that overlap; n = {int(table['n_folds'].max())} folds, so it finds large "
            "differences only."
        )
    what, wrong = TASKS[inputs.corpus.task].rows, PAPER_TEST_WRONG.get(inputs.corpus.task)
    found.append(
        f"{table['test'].iloc[0]} (two-sided) is the paper’s test, here because the paper reports it. It "
        f"takes {what} and seeds as given and independent, which they are not"
        + (
            f": in simulated experiments without any difference it is significant in {wrong} of cases, where "
            "it should be in 5 %."
            if wrong
            else "."
        )
    )
    return found


def _simulated(table: pd.DataFrame) -> str:
    """Say how often such intervals are wrong, and where the numbers of units and seeds were not tried."""
    units, seeds = int(table["units"].max()), int(table["seeds"].max())
    fewest, most = SIMULATED_UNITS
    text = (
        f"In simulated experiments without any difference, with {fewest} to {most} units and "
        f"{SIMULATED_SEEDS} or more seeds, at most 6 % exclude zero"
    )
    outside = []
    if not fewest <= units <= most:
        outside.append(f"{units} {units_name(table)}")
    if seeds < SIMULATED_SEEDS:
        outside.append(counted(seeds, "seed"))
    return text + (f"; {listed(outside)} were not tried." if outside else ".")
