"""Scores and comparisons -> what a taught system gains over its control, beside how good its teacher is.

The gain over a student of the same recordings whose teacher knows the target modality alone is what the
other modalities give. It can hardly be larger than the teacher's own lead, so that stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from pipeline.catalogue.systems import MARKED, REFERENCE, SYSTEMS, controls, in_order, label
from pipeline.params import Scenario
from pipeline.reporting.answer import headline_rows
from pipeline.reporting.compared import reported, units_name
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.score_tables import case_name, of_case
from pipeline.reporting.table import GAIN, LOSS, Cell, Column, Table, dash, interval, score
from pipeline.reporting.wording import METRIC_NAMES, counted, number, spread
from pipeline.scoring.verdict import verdict
from pipeline.wording import listed

NOT_TRAINED = "one of both was not trained, or has no score"
Row = Mapping[Any, Any]


class Teaching(NamedTuple):
    """What a system's teacher gives: sentences for above the table, and the table."""

    gains: str
    table: Table


def teachings(inputs: ReportInputs) -> list[Teaching]:
    """Return one for each system that has a teacher, where it was trained and there is gold standard."""
    scores = headline_rows(inputs)
    scores = scores[scores["mean"].notna()] if len(scores) else scores
    taught = [name for name in in_order(scores["system"]) if SYSTEMS[name].teacher] if len(scores) else []
    return [_teaching(inputs, scores, name) for name in taught]


def _teaching(inputs: ReportInputs, scores: pd.DataFrame, system: str) -> Teaching:
    teacher, own = SYSTEMS[system].teacher or "", controls(system)
    tested = inputs.partition == "test"
    against = f" − {label(own[0])}" if len(own) == 1 else ""
    columns = [
        Column("experiment", False),
        Column(label(teacher)),
        Column(f"its lead over {label(REFERENCE)}"),
    ]
    columns += [Column(label(name)) for name in (REFERENCE, *own, system)]
    confidence = f"{inputs.corpus.evaluation.confidence * 100:g} % interval"
    columns += [Column(f"gain: {label(system)}{against}"), Column(confidence)]
    columns += [Column("p"), Column("p (Holm)")] if tested else []
    rows, gains = [], []
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        here = of_case(scores, scenario, dimension).set_index("system").to_dict("index")
        if system not in here:
            continue
        case = [Cell(case_name(inputs, scenario, dimension)), _score(here, teacher)]
        case.append(_lead(_pair(inputs, scenario, dimension, teacher, REFERENCE)))
        case += [_score(here, name) for name in (REFERENCE, *own, system)]
        for control in own:
            found = _pair(inputs, scenario, dimension, system, control)
            # one row per control; the teacher and its students once
            start = case if control == own[0] else [Cell(""), *[Cell("")] * (len(case) - 1)]
            rows.append([*start, *_gain(found, tested)])
            if found:
                gains.append((case_name(inputs, scenario, dimension), found))
    caption = (
        f"{METRIC_NAMES[inputs.metric]} on {inputs.partition} of {label(system)}, its control and teacher"
    )
    table = Table(f"teaching-{system}", caption, columns, rows, (f"{MARKED}.",))
    sentences = [_learned_from(inputs, system), _in_words(gains, system, tested)]
    return Teaching(" ".join(filter(None, sentences)), table)


def _pair(inputs: ReportInputs, scenario: Scenario, dimension: str, system: str, against: str) -> Row | None:
    """Return the row of significance.csv of two systems, None where they were not compared."""
    table = reported(inputs)
    if table.empty:
        return None
    table = of_case(table, scenario, dimension)
    found = table[(table["system"] == system) & (table["against"] == against)].to_dict("records")
    return found[0] if found else None


def _score(scores: Mapping[Any, Row], system: str) -> Cell:
    if system not in scores:
        return dash(NOT_TRAINED)
    return score(scores[system]["mean"], spread(scores[system]["mean"], scores[system]["std"]))


def _lead(row: Row | None) -> Cell:
    """Return a difference with its interval below it."""
    if row is None:
        return dash(NOT_TRAINED)
    difference = score(row["difference"], number(row["difference"], signed=True))
    return difference._replace(detail=interval(row["low"], row["high"], signed=True).text)


def _gain(row: Row | None, tested: bool) -> list[Cell]:
    """Return a gain over a control, its interval and, on test, both p values."""
    if row is None:
        return [dash(NOT_TRAINED)] * (4 if tested else 2)
    gain, kind = score(row["difference"], number(row["difference"], signed=True)), verdict(row)
    if kind != "none":
        gain = gain.marked(GAIN if kind == "gain" else LOSS)
    cells = [gain, interval(row["low"], row["high"], signed=True)]
    return [*cells, _p(row["p"]), _p(row["p_holm"])] if tested else cells


def _p(value: float) -> Cell:
    if pd.isna(value):
        return dash("not computed: too few units or seeds, or predictions are the same")
    return Cell("< .001" if value < 0.001 else number(float(value)), float(value))


def _learned_from(inputs: ReportInputs, system: str) -> str:
    """Say how many recordings and speakers students and teacher learned from."""
    if inputs.lessons.empty:
        return ""
    counts = inputs.lessons[["labelled", "labelled_speakers", "unlabelled", "unlabelled_speakers"]]
    seen, speakers, others, other_speakers = (_from_to(counts[name]) for name in counts)
    over = ", mean over folds" if inputs.folds else ""
    control = listed([label(name) for name in controls(system)])
    return (
        f"{label(system).capitalize()} learned from {seen} labelled recordings of {speakers} speakers of "
        f"train and from what its teacher said of {others} recordings of {other_speakers} speakers without "
        f"labels{over}; {control} learned from the same recordings by a teacher that reads the target "
        "modality alone, so only a gain over it comes from another modality."
    )


def _from_to(values: pd.Series) -> str:
    """Write `56`, or `54 to 56` where experiments differ."""
    low, high = float(values.min()), float(values.max())
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _in_words(gains: Sequence[tuple[str, Row]], system: str, tested: bool) -> str:
    """Say how large the gains are, and what their intervals can and cannot show."""
    if not gains:
        return ""
    parts = [
        f"{case} {number(row['difference'], signed=True)} "
        f"({interval(row['low'], row['high'], signed=True).text})"
        for case, row in gains
    ]
    text = f"Gain of {label(system)} over its control: {listed(parts)}"
    rows = [row for _, row in gains]
    if len(rows) > 1:
        mean = sum(row["difference"] for row in rows) / len(rows)
        text += f"; {number(mean, signed=True)} in the mean"
    text += "."
    if not tested:
        return f"{text} On dev, which chose the settings, none is called established."
    known = [row for row in rows if not pd.isna(row["low"])]
    unclear = [row for row in known if row["low"] <= 0 <= row["high"]]
    if unclear:
        table = pd.DataFrame(rows)
        reach = max(float(row["high"] - row["low"]) / 2 for row in unclear)
        seeds = counted(int(table["seeds"].max()), "seed")
        text += (
            " An interval that includes zero shows no gain, nor that there is none: with "
            f"{int(table['units'].max())} {units_name(table)} and {seeds} it reaches {number(reach)} to "
            "either side, and a gain smaller than that cannot be told from chance here."
        )
    return text
