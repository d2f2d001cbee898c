"""Certainty of what is exported: on test, and over all speakers in folds -> a table and what to say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from pipeline.catalogue.systems import label
from pipeline.params import EXPORTED
from pipeline.paths import experiment_name
from pipeline.recogniser.certainty_file import records, uncalibrated_words
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.score_tables import case_key, case_name, of_case
from pipeline.reporting.table import Cell, Column, Table, count, dash, interval, score
from pipeline.reporting.wording import counted

KINDS: Mapping[str, tuple[str, str]] = {
    "classification": ("ece", "ECE"),
    "multilabel": ("ece", "ECE"),
    "regression": ("coverage", "coverage"),
}
"""The column of scores/uncertainty.csv that says it all, and its name."""
NOTHING = "dev is too small to calibrate on, or nobody has a gold standard to test it on"


def certainty_table(inputs: ReportInputs) -> Table | None:
    """Return two rows for each recogniser, as exported on test and its recipe over all speakers.

    None without recognisers, so with a cross-validation, whose test is all speakers anyway.
    """
    if not inputs.exported or inputs.uncertainty.empty:
        return None
    traces, (column, name) = inputs.corpus.task == "regression", KINDS[inputs.corpus.task]
    first = inputs.uncertainty.iloc[0]
    several = "class" in inputs.uncertainty
    columns = [Column("recogniser", False), *([Column("class", False)] if several else [])]
    columns += [Column("system", False), Column("measured on", False), Column(name)]
    columns += [Column(f"{first['confidence'] * 100:g} % interval")]
    columns += [Column(f"worst {first['unit']}" if traces else "by chance")]
    columns += [Column("n"), Column(f"{first['unit']}s")]
    rows = []
    for about, row in _rows(inputs):
        cells = [about[0], *([Cell(str(row["class"]))] if several else []), about[1], about[2]]
        cells += [score(row[column]), interval(row[f"{column}_low"], row[f"{column}_high"])]
        cells += [score(row["lowest" if traces else "ece_by_chance"])]
        cells += [count(row["n"]) if row["n"] else dash(NOTHING), count(row["units"])]
        rows.append(cells)
    what = f"Coverage of {first['nominal'] * 100:g} % intervals" if traces else "Calibration error"
    caption = f"{what} of what is exported, on few speakers and on all"
    return Table("certainty-of-recognisers", caption, columns, rows, (_note(traces),)) if rows else None


def certainty_words(inputs: ReportInputs) -> list[str]:
    """Say what the rows over all speakers are of, or why there are none; nothing without recognisers."""
    if not inputs.exported or inputs.uncertainty.empty:
        return []
    said = []
    measured = inputs.certainty[inputs.certainty["why"] == ""] if len(inputs.certainty) else inputs.certainty
    if len(measured):
        evaluation = inputs.corpus.evaluation
        folds = counted(evaluation.certainty_folds or 0, "fold")
        which = (
            "The system is the one that is exported, which dev of this run chose"
            if evaluation.certainty_system == EXPORTED
            else f"The system is {label(evaluation.certainty_system)}, as evaluation.certainty_system asks, "
            "whichever is exported"
        )
        said += [
            "Test has few speakers, and what is measured on them may be off by chance. So the recipe, system "
            f"and calibration, is tried on everybody: in {folds} by speaker over train, dev and test it "
            "learns from some speakers, its settings, post-processing and calibration are fitted on others, "
            f"and those left are tested, each speaker once. {which}; all else is decided anew within each "
            "fold, without the speakers tested there. No score decides anything.",
            "What is measured over all speakers is not these very weights, which learnt from most of them, "
            "but how far the certainty of what is made in this way can be trusted with somebody new.",
        ]
        whole = measured[measured["fold"] == ""]
        for lost in sorted({int(value) for value in whole["uncalibrated"] if value > 0}):
            rows = whole[whole["uncalibrated"] == lost]
            names = dict.fromkeys(f"{row.target} → {row.dimension}" for row in rows.itertuples())
            said.append(f"{', '.join(names)}: {uncalibrated_words(lost, inputs.corpus.task)}")
    whys = (
        inputs.certainty.loc[inputs.certainty["why"] != "", "why"].unique() if len(inputs.certainty) else ()
    )
    said += [f"Not measured over all speakers{_which(inputs, why)}: {why}." for why in whys]
    return said


def _which(inputs: ReportInputs, why: str) -> str:
    """Name the experiments of a reason where it is not that of all."""
    rows = inputs.certainty
    if (rows["why"] == why).all():
        return ""
    own = rows[rows["why"] == why]
    return f" ({', '.join(f'{row.target} → {row.dimension}' for row in own.itertuples())})"


def _rows(inputs: ReportInputs) -> Iterator[tuple[tuple[Cell, Cell, Cell], dict[str, Any]]]:
    """Give what each row begins with, and its values: on test (or dev), then over all speakers."""
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        system = inputs.exported.get(experiment_name(scenario.name, dimension))
        if system is None:
            continue
        link = f"#{case_key(scenario, dimension)}"
        name = Cell(case_name(inputs, scenario, dimension), link=link)
        rows = of_case(inputs.uncertainty, scenario, dimension)
        for row in records(rows[rows["system"] == system]):
            where = row["partition"] if isinstance(row["partition"], str) else "nothing"
            yield (name, Cell(label(system)), Cell(f"{where}, as exported")), row
        if inputs.certainty.empty:
            continue
        rows = of_case(inputs.certainty, scenario, dimension)
        for row in records(rows[(rows["why"] == "") & (rows["fold"] == "")]):
            where = f"all speakers, {inputs.corpus.evaluation.certainty_folds} folds"
            yield (name, Cell(label(row["system"])), Cell(where)), row


def _note(traces: bool) -> str:
    if traces:
        return (
            "Coverage: share of frames whose gold standard lies within the interval, each unit weighing the "
            "same. n: frames."
        )
    return (
        "ECE: expected calibration error, ten bins; by chance: what perfect probabilities would show with as "
        "many utterances. An ECE about as large shows no fault. n: utterances."
    )
