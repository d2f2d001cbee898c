"""Results -> the sentences that say what is established and what is not, computed, never written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.catalogue.systems import (
    BY_MODALITY,
    CROSSMODAL,
    MARK,
    REFERENCE,
    controls,
    in_order,
    label,
    leading,
)
from pipeline.catalogue.tasks import TASKS
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import DIGITS, counted, listed, number, p_value, target_name
from pipeline.scoring.signs import smallest_p
from pipeline.scoring.verdict import CASE, Claim, claim, enough_units, stated, verdict

PAPER_TEST_WRONG = {"regression": "49 to 88 %", "classification": "0 to 49 %"}
OWN_SCORE = {"regression": "CCC", "classification": "accuracy", "multilabel": "share of right answers"}
"""How often the paper's test is significant at .05 for equal systems: benchmarks/false_alarms.py."""

SIMULATED_UNITS = (6, 27)
SIMULATED_SEEDS = 3
"""For which benchmarks/false_alarms.py measured how often intervals are wrong; seeds: at least."""


def comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the rows of significance.csv that the page is about: all systems against the reference.

    Of the headline kind and the reported partition.
    """
    table = reported(inputs)
    return table[table["against"] == REFERENCE]


def control_comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the same of systems against their controls; `against` is the control."""
    table = reported(inputs)
    return table[table["against"] != REFERENCE]


def reported(inputs: ReportInputs) -> pd.DataFrame:
    """Return both, case by case."""
    table = inputs.significance
    if table.empty:
        return table if "against" in table else table.reindex(columns=["against"])
    return table[(table["partition"] == inputs.partition) & (table["postprocessed"] == inputs.postprocessed)]


def claims(inputs: ReportInputs, system: str) -> pd.DataFrame:
    """Return one row per case with a comparison of a system: target, auxiliary, dimension, claim."""
    table = reported(inputs)
    table = table[table["system"] == system] if len(table) else table
    cases = [(*key, claim(rows, system)) for key, rows in table.groupby(CASE, sort=False)]
    return pd.DataFrame(cases, columns=[*CASE, "claim"])


def crossmodal_sentence(inputs: ReportInputs) -> str:
    """Say whether a crossmodal gain is established, for the top of the page.

    Of each system that has controls of that (`BY_MODALITY`), in turn: a crossmodal gain, one that the
    controls share as far as these data tell, one without controls, none; or, once for all of them, why these
    data can establish nothing, as on dev. Empty without such a system, or without scores.
    """
    table = reported(inputs)
    table = table[table["system"].isin(BY_MODALITY)] if len(table) else table
    if table.empty:
        return ""
    against_reference = table[table["against"] == REFERENCE]
    if against_reference.empty:
        return (
            f"Whether crossmodal training helps cannot be said: {label(REFERENCE)} was not trained, and "
            f"there is no gain without it (corpora.{inputs.name}.learning.systems)."
        )
    if inputs.partition == "dev":
        return (
            "Whether crossmodal training helps is not established here: only dev has a gold standard, and "
            "dev chose the settings."
        )
    if reason := _nothing_possible(against_reference):
        return reason
    return " ".join(_claimed(system, inputs) for system in in_order(against_reference["system"]))


def _claimed(system: str, inputs: ReportInputs) -> str:
    """Say what kind of gain a system shows, and where."""
    name, reference = label(system), label(REFERENCE)
    own = [label(control) for control in controls(system)]
    many = len(own) > 1
    found, parts = claims(inputs, system), []
    whose = f"{listed(own)}), which {'learn' if many else 'learns'} from no other modality’s emotion"
    for kind, text in (
        (
            "crossmodal",
            f"A crossmodal gain is established for {{cases}}: {name} is ahead of {reference} and of its "
            f"{'controls' if many else 'control'} ({whose}.",
        ),
        (
            "shared",
            f"A gain of {name} over {reference} is established for {{cases}}, but not one over "
            f"{'both its controls' if len(own) == 2 else 'all its controls' if many else 'its control'} "
            f"({whose}: as far as these data tell {'they share' if many else 'it shares'} it, and it is not "
            "crossmodal.",
        ),
        (
            "uncontrolled",
            f"A gain of {name} over {reference} is established for {{cases}}. Whether it is crossmodal "
            f"cannot be said: {'its controls' if many else 'its control'} ({listed(own)}) "
            f"{'were not all' if many else 'was not'} trained (corpora.{inputs.name}.learning.systems).",
        ),
    ):
        cases = _case_names(found, inputs, kind)
        if cases:
            parts.append(text.format(cases=listed(cases)))
    without = int((found["claim"] == "none").sum())
    if not parts:
        return f"No gain of {name} over {reference} is established, so none that is crossmodal."
    if without:
        parts.append(f"In the other {counted(without, 'case')} none is established.")
    return " ".join(parts)


def verdict_sentences(inputs: ReportInputs, rows: pd.DataFrame) -> list[str]:
    """Say what is established besides `crossmodal_sentence`, and how often the leading system is ahead.

    Crossmodal training (`CROSSMODAL`) and rivals are counted apart: what another learner gains or loses says
    nothing about crossmodal training. Differences without a verdict
    (`pipeline.scoring.verdict.stated`) are not counted.
    """
    table = comparisons(inputs)
    if table.empty:
        return []
    sentences = _ahead(rows, inputs)
    if inputs.partition == "dev":
        return [
            *sentences,
            "No difference is called established: this is dev, where settings were chosen. Each "
            f"{_unit(table)} is scored at settings that the others chose, which takes the advantage of many "
            f"settings away, but epochs may have been chosen on it too. corpora.{inputs.name}."
            "partitions.method: cross_validation in params.yaml tests every labelled speaker on models and "
            "settings that never saw them.",
        ]
    if reason := _nothing_possible(table):
        return [*sentences, *([] if reason == crossmodal_sentence(inputs) else [reason])]
    judged = table[[stated(*pair) for pair in zip(table["system"], table["against"], strict=True)]]
    trained = judged["system"].isin(CROSSMODAL)
    for kind, whose in ((judged[trained], "crossmodal training"), (judged[~trained], "rivals")):
        names = listed([label(name) for name in in_order(kind["system"])]) if len(kind) else ""
        sentences += _established(kind, f"of {whose} ({names})", inputs)
    every = pd.concat([judged, control_comparisons(inputs)])
    return [*sentences, _meaning(every)] if len(every) else sentences


def _established(table: pd.DataFrame, whose: str, inputs: ReportInputs) -> list[str]:
    """Name the established gains and losses among some differences from the reference, count the others."""
    verdicts = [verdict(row) for row in table.to_dict("records")]
    reference, sentences = label(REFERENCE), []
    for kind in ("gain", "loss"):
        chosen = table[[found == kind for found in verdicts]]
        if len(chosen):
            sentences.append(f"A {kind} against {reference}: {_cases(chosen, inputs)}.")
    rest = verdicts.count("none")
    differences = f"{counted(rest, 'difference')} {whose} from {reference}"
    if rest and rest == len(table):
        one = rest == 1
        sentences.append(
            f"For the {differences} neither a gain nor a loss is established."
            if one
            else f"For none of the {differences} is a gain or a loss established."
        )
    elif rest:
        sentences.append(f"For the other {differences} nothing is established.")
    return sentences


def _nothing_possible(table: pd.DataFrame) -> str:
    """Say why nothing can be established, whatever the differences; empty where something can."""
    units, unit = int(table["units"].max()), units_name(table)
    confidence = float(table["confidence"].iloc[0])
    if not enough_units(units, confidence):
        text = f"With n = {units} {unit} nothing can be called established, however large the difference"
        if units > 1:
            text += (
                f": if all of them agreed, chance would still do so with {p_value(smallest_p(units))}, "
                f"and it "
                f"takes p < {number(1 - confidence)}"
            )
        return text + "."
    if int(table["seeds"].max()) < 2:
        return "With one seed nothing can be called established: another run might reverse any difference."
    return ""


def _meaning(table: pd.DataFrame) -> str:
    confidence = float(table["confidence"].iloc[0])
    family = table["family"].max()
    return (
        f"Established means: two-sided p < {number(1 - confidence)} of a t-test over "
        f"n = {int(table['units'].max())} {units_name(table)} and {int(table['seeds'].max())} seeds, "
        f"after Holm’s "
        f"correction for the {counted(0 if pd.isna(family) else int(family), 'verdict')} of this page."
    )


def interval_sentence(inputs: ReportInputs) -> str:
    """Say what the intervals come from, a clause for the end of the sentence on means; may be empty."""
    table = comparisons(inputs)
    if table.empty:
        return ""
    text = (
        f"; intervals come from the jackknife over n = {int(table['units'].max())} {units_name(table)} "
        f"and the "
        "standard error over seeds"
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
    unit, units = _unit(table), int(table["units"].max())
    found = [
        f"Each interval is that of one difference by itself, at {confidence * 100:g} %: from the "
        f"jackknife over "
        f"{unit}s (n = {units}) and the standard error over seeds, with Student’s t. {_simulated(table)}"
    ]
    recordings = table["recordings"].unique()
    if len(recordings) > 1:
        found.append(
            "Systems that need all modalities predict fewer recordings; each comparison is over those "
            "that both "
            f"systems predict ({int(recordings.min())} to {int(recordings.max())})."
        )
    if inputs.partition != "test":
        return found
    family = table["family"].max()
    if not pd.isna(family):
        own = [label(name) for name in in_order(control_comparisons(inputs)["system"])]
        controlled = (
            f" and, as one each, {listed(own)} against all controls of its own, which takes the largest p of "
            "these"
            if own
            else ""
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
        f"chance "
        f"would have it? {unit.capitalize()}s count alike, two-sided, exact for up to 13."
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
            "training "
            f"sets that overlap; n = {int(table['n_folds'].max())} folds, so it finds large differences only."
        )
    what, wrong = TASKS[inputs.corpus.task].rows, PAPER_TEST_WRONG.get(inputs.corpus.task)
    found.append(
        f"{table['test'].iloc[0]} (two-sided) is the paper’s test, here because the paper reports it. It "
        f"takes "
        f"{what} and seeds as given and independent, which they are not"
        + (
            f": in simulated experiments without any difference it is significant in {wrong} of cases, where "
            "it "
            "should be in 5 %."
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


def _ahead(rows: pd.DataFrame, inputs: ReportInputs) -> list[str]:
    """Count the cases of the table of scores where the leading system is above the reference, as printed."""
    by = ["target", "auxiliary", "dimension"]
    printed = rows.set_index([*by, "system"])["mean"].round(DIGITS).unstack("system")
    own = leading(printed.columns)
    if own is None or REFERENCE not in printed:
        return []
    printed = printed.dropna(subset=[REFERENCE, own])
    ahead, cases = int((printed[own] > printed[REFERENCE]).sum()), len(printed)
    what = "mean over folds" if inputs.folds else "mean"
    above = f"{label(own)}’s {what} is above that of {label(REFERENCE)}"
    return [f"{above} in {ahead} of {counted(cases, 'case')}."]


def _case_names(table: pd.DataFrame, inputs: ReportInputs, kind: Claim | str) -> list[str]:
    return [
        f"{target_name(inputs.corpus, row['target'], row['auxiliary'])} and {row['dimension']}"
        for row in table[table["claim"] == kind].to_dict("records")
    ]


def _cases(table: pd.DataFrame, inputs: ReportInputs) -> str:
    cases: Sequence[str] = [
        f"{label(row['system'])}, {target_name(inputs.corpus, row['target'], row['auxiliary'])} and "
        f"{row['dimension']} ({number(row['difference'], signed=True)}, "
        f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}; {p_value(row['p_holm'])})"
        for row in table.to_dict("records")
    ]
    return listed(cases)


def _unit(table: pd.DataFrame) -> str:
    return str(table["unit"].iloc[0])


def units_name(table: pd.DataFrame) -> str:
    """Write `recordings`, or `recording` for a single one."""
    return _unit(table) + ("" if int(table["units"].max()) == 1 else "s")
