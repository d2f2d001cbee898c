"""How scores, p values and names are written, on the page and at the end of a run."""

from __future__ import annotations

import math

from pipeline.params import Corpus

DIGITS = 3
"""Decimals of a score on the page."""
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
    "wacc": "WAcc",
    "f1_binary": "F1 of labels",
    "f1_weighted_binary": "weighted F1",
    "auc": "AUC",
    "hamming": "right answers",
    "exact": "exact sets",
}
SPEAKER_SCALING = {"centre": "centred on", "standardise": "standardised for"}
"""What `scaling.speaker` does to features, before the words `each speaker`."""
METRIC_MEANINGS = {
    "regression": (
        "CCC is Lin’s concordance correlation coefficient over all frames of a partition at once, population "
        "moments; CCC per recording is the mean of that of each recording, PCC Pearson’s correlation, RMSE "
        "the root of the mean squared error."
    ),
    "classification": (
        "F1, the paper’s score, is the harmonic mean of macro precision and macro recall; macro F1 is the "
        "mean of the classes’ F1, weighted F1 that mean weighted by support, UAR (unweighted average recall) "
        "the macro recall."
    ),
    "multilabel": (
        "All are of each label by itself, then the mean over labels. WAcc, the weighted accuracy, is the "
        "mean recall of present and absent labels (.5 for a constant); F1 of labels is that of present ones; "
        "weighted F1 weighs it with that of absent ones by how many there are, as Dai et al. (2020) do, and "
        "is high for rare labels whatever is predicted; AUC is the area under the curve of hits against "
        "false alarms. Right answers: share over utterances and labels; exact sets: share of utterances "
        "whose labels are all right."
    ),
}


def number(value: float, signed: bool = False) -> str:
    """Write a score as the field does, `.613`, with a true minus sign; a dash for NaN."""
    if value is None or math.isnan(value):
        return "–"
    text = f"{abs(value):.{DIGITS}f}"
    text = text.removeprefix("0") if abs(value) < 1 else text
    sign = "−" if value < 0 and float(text) != 0 else ("+" if signed else "")
    return sign + text


def of_each(fewest: int, most: int) -> str:
    """Write `14 recordings of each`, or `3 to 20 recordings of each`: what speakers have at hand."""
    return f"{counted(most, 'recording') if fewest == most else f'{fewest} to {most} recordings'} of each"


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


def counted(number_of: int, what: str) -> str:
    """Write `1 case` or `4 cases`."""
    return f"{number_of} {what}" + ("" if number_of == 1 else "s")


def whole(value: int) -> str:
    """Write a whole number with thin spaces between thousands."""
    return f"{int(value):,}".replace(",", "\u2009")


def share(part: float, of: float) -> str:
    """Write a percentage; never 100.0 % or 0.0 % unless it is all or none."""
    if not of:
        return "–"
    text = f"{100 * part / of:.1f}"
    if text == "100.0" and part < of:
        return "> 99.9 %"
    if text == "0.0" and part > 0:
        return "< 0.1 %"
    return f"{text} %"
