"""Results -> the sentences that say what is established and what is not, computed, never written by hand."""

from __future__ import annotations

import pandas as pd

from pipeline.learning.systems.table import METHOD, REFERENCE, label
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import DIGITS, counted, listed, number, p_value, target_name
from pipeline.scoring.bootstrap import smallest_p
from pipeline.scoring.verdict import enough_units, verdict

FEW_UNITS = 10
"""Below this many units a percentile interval is known to be too narrow."""


def comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the rows of significance.csv that the page is about: headline kind, reported partition."""
    table = inputs.significance
    return table[(table["partition"] == inputs.partition) & (table["postprocessed"] == inputs.postprocessed)]


def verdict_sentences(inputs: ReportInputs, rows: pd.DataFrame) -> list[str]:
    """Say in how many cases the method is ahead, and what differences are established, of any system."""
    table = comparisons(inputs)
    if table.empty:
        return []
    sentences = _ahead(rows, inputs)
    if inputs.partition == "dev":
        return [
            *sentences,
            "No difference is called established, since settings were chosen on this very partition: a "
            f"system with more settings to choose from is ahead for nothing. corpora.{inputs.name}."
            "partitions.method: cross_validation in params.yaml tests every labelled speaker on models and "
            "settings that never saw them.",
        ]
    units, unit = int(table["n_speakers"].max()), units_name(table)
    confidence = float(table["confidence"].iloc[0])
    level = f"{confidence * 100:g} %"
    if not enough_units(units, confidence):
        text = f"With n = {units} {unit} nothing can be called established, however large the difference"
        if units > 1:
            text += (
                ": if all of them agreed, a sign-flip test would still give "
                f"{p_value(smallest_p(units))}, and it takes p < {number(1 - confidence)}"
            )
        return [*sentences, text + "."]
    tests = (
        f"the {level} bootstrap interval of the difference and the sign-flip test over n = {units} {unit}, "
        "both two-sided"
    )
    verdicts = table.apply(verdict, axis=1)
    if (verdicts == "none").all():
        return [
            *sentences,
            f"On these data no effect of crossmodal training, for better or worse, is established: {tests}, "
            f"agree for none of the {counted(len(table), 'difference')}.",
        ]
    for kind in ("gain", "loss"):
        if (verdicts == kind).any():
            sentences.append(f"A {kind} is established for {_cases(table[verdicts == kind], inputs)}.")
    rest = int((verdicts == "none").sum())
    if rest:
        sentences.append(
            f"For the other {counted(rest, 'difference')} from {label(REFERENCE)} nothing is established."
        )
    return [*sentences, f"Established means: {tests}, agree."]


def interval_sentence(inputs: ReportInputs) -> str:
    """Say what the intervals come from, a clause for the end of the sentence on means; may be empty."""
    table = comparisons(inputs)
    if table.empty or inputs.partition != "test":
        return ""
    units = int(table["units"].max())
    text = f"; intervals come from a bootstrap over seeds and n = {units} {units_name(table)}"
    if inputs.folds:
        text += ", on the test predictions of all folds together (not means over folds)"
    if units < FEW_UNITS:
        text += ", so few that they are rough and rather too narrow"
    if len(table) > 1:
        text += f", and none of the tests is corrected for the number of comparisons, {len(table)}"
    return text


def _ahead(rows: pd.DataFrame, inputs: ReportInputs) -> list[str]:
    """Count the cases of the table of scores in which the method is above the reference, as printed there."""
    by = ["target", "auxiliary", "dimension"]
    printed = rows.set_index([*by, "system"])["mean"].round(DIGITS).unstack("system")
    if METHOD not in printed or REFERENCE not in printed:
        return []
    printed = printed.dropna(subset=[REFERENCE, METHOD])
    ahead, cases = int((printed[METHOD] > printed[REFERENCE]).sum()), len(printed)
    what = "mean over folds" if inputs.folds else "mean"
    above = f"{label(METHOD)}’s {what} is above that of {label(REFERENCE)}"
    return [f"{above} in {ahead} of {counted(cases, 'case')}."]


def _cases(table: pd.DataFrame, inputs: ReportInputs) -> str:
    cases = []
    for row in table.to_dict("records"):
        name = target_name(inputs.corpus, row["target"], row["auxiliary"])
        interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
        cases.append(
            f"{label(row['system'])}, {name} and {row['dimension']} "
            f"({number(row['difference'], signed=True)}, {interval}; sign-flip {p_value(row['p_speakers'])})"
        )
    return listed(cases)


def units_name(table: pd.DataFrame) -> str:
    """Write `recordings`, or `recording` for a single one."""
    return str(table["unit"].iloc[0]) + ("" if int(table["units"].max()) == 1 else "s")
