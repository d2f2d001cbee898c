"""Results -> the sentences that answer the report's question, computed, never written by hand."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from pipeline.params import Corpus
from pipeline.reporting.inputs import ReportInputs
from pipeline.scoring.bootstrap import smallest_p

FEW_UNITS = 10
"""Below this many units a percentile interval is known to be too narrow."""
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
SYSTEM_NAMES = {"classic": "classic", "joint": "joint", "triplet": "triplet", "emobed": "EmoBed"}


def number(value: float, signed: bool = False) -> str:
    """Write a score as the field does, `.613`, with a true minus sign; a dash for NaN."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{abs(value):.3f}"
    text = text.removeprefix("0") if abs(value) < 1 else text
    sign = "−" if value < 0 and float(text) != 0 else ("+" if signed else "")
    return sign + text


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
    """Say how well each modality alone does without crossmodal training (classic) and with it (EmoBed).

    A difference is called established only if its bootstrap interval excludes zero AND there are enough
    recordings or speakers for that to be unlikely by chance (`smallest_p`).
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
    scores, verdict, basis = [], [], []
    if inputs.partition == "dev":
        basis.append(
            "The test partition has no gold standard, so everything below is on dev, where the weights were "
            "chosen too: the scores of joint, triplet and EmoBed are too good by an unknown amount."
        )
    where = f"on the {inputs.partition} partition"
    if inputs.folds:
        where = f"(mean over {len(inputs.folds)} folds that together test every speaker once)"
    scores.append(
        f"Without crossmodal training (classic), {_scores(rows, 'classic', inputs, metric)} {where}."
    )
    if (rows["system"] == "emobed").any():
        scores.append(f"Trained with both modalities (EmoBed), {_scores(rows, 'emobed', inputs, None)}.")
        verdict = _verdict(inputs)
    basis.append(_basis(inputs, rows))
    if inputs.corpus.task == "classification":
        count = len(inputs.class_names)
        basis.append(f"Guessing at random among the {count} classes gives about {number(1 / count)}.")
    if inputs.rendered:
        basis.append(
            "This is a rendered demo: its voices and faces were drawn from known emotion, so the scores show "
            "that the pipeline works and say nothing about people or about the paper’s corpora."
        )
    return Answer(scores, verdict, basis)


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
            if system == "classic" and (scenario.target, values) in said:
                continue  # classic sees no auxiliary: the same models again
            if system == "classic" and not any(target == scenario.target for target, _ in said):
                who = f"{scenario.target} alone"
            said.append((scenario.target, values))
            parts.append(f"{who}{verb}{of if not parts else ''} {_list(values)}")
    return ", ".join(parts)


def _verdict(inputs: ReportInputs) -> list[str]:
    table = comparisons(inputs)
    table = table[table["system"] == "emobed"]
    if table.empty:
        return []
    known = table.dropna(subset=["low", "high"])
    better, worse = known[known["low"] > 0], known[known["high"] < 0]
    level = f"{table['confidence'].iloc[0]:.0%}".replace("%", " %")
    cases = f"{len(table)} {'case' if len(table) == 1 else 'cases'}"
    ahead = int((table["difference"] > 0).sum())
    what = "score on the test predictions of all folds together" if inputs.folds else "mean"
    sentences = [f"EmoBed’s {what} is above that of classic in {ahead} of {cases}."]
    units, confidence = int(table["units"].max()), float(table["confidence"].iloc[0])
    if smallest_p(units) > 1 - confidence:
        sentences.append(
            f"But with n = {units} {_units(table)} no difference can be called established, however large: "
            f"even if all of them agreed, chance alone would do that with p = {number(smallest_p(units))}."
        )
    elif better.empty and worse.empty:
        sentences.append(
            f"In none of them does the {level} bootstrap interval of the difference exclude zero: on these "
            "data no effect of crossmodal training, for better or worse, is established."
        )
    else:
        if len(better):
            sentences.append(
                f"A gain is established ({level} interval above zero) for {_cases(better, inputs)}."
            )
        if len(worse):
            sentences.append(
                f"A LOSS is established ({level} interval below zero) for {_cases(worse, inputs)}."
            )
        rest = len(table) - len(better) - len(worse)
        if rest:
            sentences.append(f"For the other {rest} no difference is established.")
    return sentences


def _cases(table: pd.DataFrame, inputs: ReportInputs) -> str:
    cases = []
    for row in table.to_dict("records"):
        name = target_name(inputs.corpus, row["target"], row["auxiliary"])
        interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
        cases.append(f"{name} and {row['dimension']} ({number(row['difference'], signed=True)}, {interval})")
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
    if len(table):
        units = int(table["units"].max())
        text += f"; intervals come from a bootstrap over seeds and n = {units} {_units(table)}"
        if inputs.folds:
            text += ", on the test predictions of all folds together"
        if units < FEW_UNITS:
            text += ", so few that they are rough and rather too narrow"
        if len(table[table["system"] == "emobed"]) > 1:
            text += ", and are not corrected for the number of comparisons"
    if inputs.folds:
        return text + ". The weights (α, β) were chosen in each fold by itself, on its dev only."
    return text + ". The weights (α, β) were chosen on dev only."


def _folds(inputs: ReportInputs, rows: pd.DataFrame) -> str:
    """Write `5 folds`, or `4 of 5 folds (the others have no gold standard)`."""
    every, scored = len(inputs.folds), int(rows["folds"].min())
    few = "" if scored == every else f"{scored} of "
    return f"{few}{every} folds" + (" (the others have no gold standard)" if few else "")


def _units(table: pd.DataFrame) -> str:
    return str(table["unit"].iloc[0]) + ("" if int(table["units"].max()) == 1 else "s")


def _list(items: list[str]) -> str:
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
