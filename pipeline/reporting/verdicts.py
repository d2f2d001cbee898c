"""Results -> the sentences that say what is established and what is not, computed, never written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.catalogue.systems import (
    BY_MODALITY,
    CROSSMODAL,
    REFERENCE,
    controls,
    in_order,
    label,
    leading,
)
from pipeline.reporting.compared import (
    claims,
    comparisons,
    control_comparisons,
    reported,
    unit_name,
    units_name,
)
from pipeline.reporting.coverage import of_all_folds
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.wording import DIGITS, counted, number, p_value, target_name
from pipeline.scoring.signs import smallest_p
from pipeline.scoring.verdict import Claim, enough_units, stated, verdict
from pipeline.wording import listed


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
            f"{unit_name(table)} is scored at settings that the others chose, which takes the advantage of "
            f"many settings away, but epochs may have been chosen on it too. corpora.{inputs.name}."
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
                f": if all of them agreed, chance would still do so with {p_value(smallest_p(units))}, and "
                f"it takes p < {number(1 - confidence)}"
            )
        return text + "."
    if int(table["seeds"].max()) < 2:
        return "With one seed nothing can be called established: another run might reverse any difference."
    return ""


def _meaning(table: pd.DataFrame) -> str:
    confidence = float(table["confidence"].iloc[0])
    family = table["family"].max()
    return (
        f"Established means: two-sided p < {number(1 - confidence)} of a t-test over n = "
        f"{int(table['units'].max())} {units_name(table)} and {int(table['seeds'].max())} seeds, after "
        f"Holm’s correction for the {counted(0 if pd.isna(family) else int(family), 'verdict')} of this page."
    )


def _ahead(rows: pd.DataFrame, inputs: ReportInputs) -> list[str]:
    """Count the cases of the table of scores where the leading system is above the reference, as printed.

    Cases of which some folds left one of them out are not counted.
    """
    by = ["target", "auxiliary", "dimension"]
    printed = of_all_folds(rows).set_index([*by, "system"])["mean"].round(DIGITS).unstack("system")
    own = leading(rows["system"])
    if own is None or not {own, REFERENCE} <= set(printed.columns):
        return []
    printed = printed.dropna(subset=[REFERENCE, own])
    if printed.empty:
        return []
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
