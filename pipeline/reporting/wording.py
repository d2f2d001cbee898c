"""Results -> the sentences that answer the report's question, computed, never written by hand."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from pipeline.learning.systems.table import METHOD, REFERENCE, label
from pipeline.params import Corpus
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.bootstrap import smallest_p
from pipeline.scoring.verdict import enough_units, verdict

FEW_UNITS = 10
"""Below this many units a percentile interval is known to be too narrow."""
DIGITS = 3
"""Decimals of a score on the page."""
ENROLMENT = (
    "Features were centred on each speaker (scaling.speaker: centre), those of test too: all recordings of a "
    "test speaker, without their labels, took part in scaling that speaker’s features (enrolment). So the "
    "scores hold for people of whom recordings are at hand beforehand, not for somebody never seen or heard."
)
METRIC_NAMES = {
    "ccc": "CCC",
    "ccc_per_recording": "CCC per recording",
    "pcc": "PCC",
    "rmse": "RMSE",
    "f1_macro_pr": "F1",
    "f1_macro": "macro F1",
    "f1_weighted": "weighted F1",
    "uar": "UAR",
    "accuracy": "accuracy",
}


def number(value: float, signed: bool = False) -> str:
    """Write a score as the field does, `.613`, with a true minus sign; a dash for NaN."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{abs(value):.{DIGITS}f}"
    text = text.removeprefix("0") if abs(value) < 1 else text
    sign = "−" if value < 0 and float(text) != 0 else ("+" if signed else "")
    return sign + text


def p_value(value: float) -> str:
    """Write `p = .031` or `p < .001`."""
    return "p < .001" if value < 0.001 else f"p = {number(float(value))}"


def spread(mean: float, std: float) -> str:
    """Write `mean ± standard deviation`, without the latter for one seed."""
    return number(mean) if math.isnan(std) else f"{number(mean)} ± {number(std)}"


def target_name(corpus: Corpus, target: str, auxiliary: str) -> str:
    """Return what a scenario is called: its target, with its auxiliary where others have the same target."""
    alone = sum(scenario.target == target for scenario in corpus.scenarios) == 1
    return target if alone else f"{target} (with {auxiliary})"


class Answer(NamedTuple):
    """The report's answer, sentence by sentence: scores, whether they differ, and what that rests on."""

    scores: list[str]
    verdict: list[str]
    basis: list[str]


def answer(inputs: ReportInputs) -> Answer:
    """Say how well each modality alone does without crossmodal training (reference) and with it (method).

    What may be called established: `pipeline.scoring.verdict`.
    """
    rows = _headline(inputs)
    if not inputs.corpus.scenarios:
        return Answer(
            ["No scenario is asked for: the features were extracted and nothing was trained."], [], []
        )
    if rows.empty or rows["mean"].isna().all():
        nothing = "No partition has a gold standard, so nothing could be scored; the predictions are written."
        return Answer([nothing], [], [])
    metric = METRIC_NAMES[inputs.metric]
    scores, basis = [], []
    if inputs.partition == "dev":
        basis.append(
            "The test partition has no gold standard, so all scores are on dev, where settings were "
            "chosen too: those of systems with several are too good by an unknown amount."
        )
    where = f"on the {inputs.partition} partition"
    if inputs.folds:
        where = f"(mean over {len(inputs.folds)} folds that together test every speaker once)"
    scores.append(
        f"Without crossmodal training ({label(REFERENCE)}), "
        f"{_scores(rows, REFERENCE, inputs, metric)} {where}."
    )
    if (rows["system"] == METHOD).any():
        scores.append(
            f"Trained with both modalities ({label(METHOD)}), {_scores(rows, METHOD, inputs, None)}."
        )
    basis.append(_basis(inputs, rows))
    if inputs.corpus.task == "classification":
        basis += _classes(inputs)
    if inputs.corpus.learning.scaling.speaker == "centre":
        basis.append(ENROLMENT)
    if inputs.rendered:
        basis.append(
            "This is a rendered demo: its voices and faces were drawn from known emotion, so the scores show "
            "that the pipeline works and say nothing about people or about the paper’s corpora."
        )
    return Answer(scores, _verdict(inputs, rows), basis)


def _classes(inputs: ReportInputs) -> list[str]:
    """Say which classes averages run over, and what random guesses give.

    Guesses among K classes reach a recall of 1 / K on each, and a precision that is each class' share of the
    P classes that occur, 1 / P on average: an F1 of 2 / (K + P).
    """
    count = len(inputs.class_names)
    sentences = []
    rows = [counts.sum(axis=1) for by_system in inputs.confusion.values() for counts in by_system.values()]
    never = [name for name, n in zip(inputs.class_names, rows[0], strict=True) if n == 0] if rows else []
    if never:
        sentences.append(
            f"{count - len(never)} of the {count} classes occur in the gold standard of {inputs.partition}, "
            f"and averages run over these; {_list(never)} {'does' if len(never) == 1 else 'do'} not."
        )
    elif inputs.folds:
        sentences.append("In each fold averages run over the classes that occur in its gold standard.")
    chance = 2 / (2 * count - len(never))
    sentences.append(f"Guessing at random among the {count} classes gives about {number(chance)}.")
    return sentences


def comparisons(inputs: ReportInputs) -> pd.DataFrame:
    """Return the rows of significance.csv that the page is about: headline kind, reported partition."""
    table = inputs.significance
    return table[(table["partition"] == inputs.partition) & (table["postprocessed"] == inputs.postprocessed)]


def _headline(inputs: ReportInputs) -> pd.DataFrame:
    table = inputs.results
    return table[
        (table["metric"] == inputs.metric)
        & (table["partition"] == inputs.partition)
        & (table["postprocessed"] == inputs.postprocessed)
    ]


def _scores(rows: pd.DataFrame, system: str, inputs: ReportInputs, metric: str | None) -> str:
    """Write `audio alone reaches a CCC of .61 for arousal and .40 for valence, video alone ...`."""
    parts: list[str] = []
    said: list[tuple[str, list[str]]] = []
    for scenario in inputs.corpus.scenarios:
        here = rows[
            (rows["target"] == scenario.target)
            & (rows["auxiliary"] == scenario.auxiliary)
            & (rows["system"] == system)
        ]
        values = [
            number(float(here.loc[here["dimension"] == dimension, "mean"].iloc[0]))
            + ("" if dimension == "emotion" else f" for {dimension}")
            for dimension in inputs.corpus.dimensions
            if (here["dimension"] == dimension).any()
        ]
        if values:
            verb = " reaches" if not parts else ""
            of = f" an {metric} of" if metric and metric[0] in "F" else f" a {metric} of" if metric else ""
            name = target_name(inputs.corpus, scenario.target, scenario.auxiliary)
            who = name.replace(scenario.target, f"{scenario.target} alone", 1)
            if system == REFERENCE and (scenario.target, values) in said:
                continue  # it sees no auxiliary: the same models again
            if system == REFERENCE and not any(target == scenario.target for target, _ in said):
                who = f"{scenario.target} alone"
            said.append((scenario.target, values))
            parts.append(f"{who}{verb}{of if not parts else ''} {_list(values)}")
    return ", ".join(parts)


def _verdict(inputs: ReportInputs, rows: pd.DataFrame) -> list[str]:
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
    units, unit = int(table["n_speakers"].max()), _units(table)
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
            f"agree for none of the {_count(len(table), 'difference')}.",
        ]
    for kind in ("gain", "loss"):
        if (verdicts == kind).any():
            sentences.append(f"A {kind} is established for {_cases(table[verdicts == kind], inputs)}.")
    rest = int((verdicts == "none").sum())
    if rest:
        sentences.append(
            f"For the other {_count(rest, 'difference')} from {label(REFERENCE)} nothing is established."
        )
    return [*sentences, f"Established means: {tests}, agree."]


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
    return [f"{above} in {ahead} of {_count(cases, 'case')}."]


def _count(number_of: int, what: str) -> str:
    return f"{number_of} {what}" + ("" if number_of == 1 else "s")


def _cases(table: pd.DataFrame, inputs: ReportInputs) -> str:
    cases = []
    for row in table.to_dict("records"):
        name = target_name(inputs.corpus, row["target"], row["auxiliary"])
        interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
        cases.append(
            f"{label(row['system'])}, {name} and {row['dimension']} "
            f"({number(row['difference'], signed=True)}, {interval}; sign-flip {p_value(row['p_speakers'])})"
        )
    return _list(cases)


def _basis(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    table = comparisons(inputs)
    seeds = int(rows["seeds"].max())
    over = f"{seeds} {'seed' if seeds == 1 else 'seeds'}"
    if inputs.folds:
        over = f"{_folds(inputs, rows)} and {over}"
    text = f"Scores are means over {over}"
    if inputs.folds:
        tested = inputs.fold_sizes[["speakers", "recordings"]].sum()
        text += (
            f"; each of the {tested['speakers']} speakers ({tested['recordings']} recordings) is tested "
            "exactly once, by models trained on others"
        )
    if len(table) and inputs.partition == "test":
        units = int(table["units"].max())
        text += f"; intervals come from a bootstrap over seeds and n = {units} {_units(table)}"
        if inputs.folds:
            text += ", on the test predictions of all folds together (not means over folds)"
        if units < FEW_UNITS:
            text += ", so few that they are rough and rather too narrow"
        if len(table) > 1:
            text += f", and none of the tests is corrected for the number of comparisons, {len(table)}"
    return f"{text}. {_chosen(inputs)}"


def settings_chosen(inputs: ReportInputs) -> bool:
    """Say whether there was a dev to choose settings on; else each system has the smallest values."""
    dev = inputs.results[(inputs.results["partition"] == "dev") & (inputs.results["metric"] == inputs.metric)]
    return bool((dev["n"] > 0).any())


def _chosen(inputs: ReportInputs) -> str:
    """Say where the settings were chosen."""
    if inputs.folds:
        return "The setting of each system was chosen in each fold by itself, on its dev only."
    if not settings_chosen(inputs):
        return (
            "Dev has no gold standard, so settings were not chosen: of each system that with the smallest "
            "values was taken."
        )
    return "The setting of each system was chosen on dev only."


def _folds(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Write `5 folds`, or `4 of 5 folds (the others have no gold standard)`."""
    every, scored = len(inputs.folds), int(rows["folds"].min())
    few = "" if scored == every else f"{scored} of "
    return f"{few}{every} folds" + (" (the others have no gold standard)" if few else "")


def _units(table: pd.DataFrame) -> str:
    return str(table["unit"].iloc[0]) + ("" if int(table["units"].max()) == 1 else "s")


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
