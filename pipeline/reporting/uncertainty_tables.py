"""scores/uncertainty.csv and scores/reliability.csv -> what one experiment's page shows of certainty."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.catalogue.systems import label
from pipeline.reporting.table import Cell, Column, Table, count, interval, score
from pipeline.reporting.wording import counted, number

RULES = {
    "conformal": "split conformal prediction over {unit}s, which holds for any distribution",
    "widened": "the quantile of errors, each {unit} weighing the same, widened by Student’s t since "
    "{units} of dev "
    "are too few for split conformal prediction",
}


def calibration_table(rows: pd.DataFrame, key: str) -> Table:
    """Return the calibration error of each system before and after its temperature.

    rows: of one experiment, of results over all folds.
    """
    first = rows.iloc[0]
    partition = _where(first)
    sure = f"{first['confidence'] * 100:g} % interval"
    columns = [Column("system", False), Column("temperature"), Column("ECE before"), Column("ECE after")]
    columns += [Column(sure), Column("by chance"), Column("ECE debiased"), Column(sure)]
    columns += [Column("utterances"), Column(f"{first['unit']}s")]
    table = [
        [
            Cell(label(row["system"])),
            Cell("by fold") if pd.isna(row["temperature"]) else score(row["temperature"]),
            score(row["ece_before"]), score(row["ece"]), interval(row["ece_low"], row["ece_high"]),
            score(row["ece_by_chance"]), score(row["debiased"]),
            interval(row["debiased_low"], row["debiased_high"]), count(row["n"]), count(row["units"]),
        ]
        for row in rows.to_dict("records")
    ]  # fmt: skip
    caption = f"Calibration on {partition}: the mean over seeds before and after a temperature fitted on dev"
    return Table(f"calibration-{key}", caption, columns, table, (calibration_note(rows),))


def calibration_note(rows: pd.DataFrame) -> str:
    """Say what the table of calibration shows, and how far its figures go."""
    return (
        "Calibrated is what a recogniser gives out, the mean of the probabilities over seeds; the "
        "temperature never changes which class is named. ECE: expected calibration error, ten bins. By "
        "chance: what a perfectly calibrated system would show with "
        f"{counted(int(rows['n'].max()), 'utterance')}, since shares in small bins are off by chance; an ECE "
        "about as large shows no fault. Debiased: without what chance adds, as far as the bins themselves "
        "say (Kumar, Liang, Ma, 2019); below 0 where there is less than that."
    )


def coverage_table(rows: pd.DataFrame, key: str) -> Table:
    """Return how much the intervals of each system cover, and how wide they are; rows: as above."""
    first = rows.iloc[0]
    sure = f"{first['confidence'] * 100:g} % interval"
    columns = [Column("system", False), Column("reach ±"), Column("coverage"), Column(sure)]
    columns += [Column(f"worst {first['unit']}"), Column("width"), Column("frames"), Column("recordings")]
    table = []
    for row in rows.to_dict("records"):
        reach = Cell("by fold") if not isinstance(row["rule"], str) else score(row["reach"])
        if row["rule"] == "none":
            reach = Cell(f"none: {row['dev_units']:g} of dev")
        table.append(
            [
                Cell(label(row["system"])), reach, score(row["coverage"]),
                interval(row["coverage_low"], row["coverage_high"]), score(row["lowest"]),
                score(row["width"]), count(row["n"]), count(row["recordings"]),
            ]
        )  # fmt: skip
    caption = f"Coverage of {first['nominal'] * 100:g} % intervals on {_where(first)}, fitted on dev"
    return Table(f"coverage-{key}", caption, columns, table, (coverage_note(rows),))


def coverage_note(rows: pd.DataFrame) -> str:
    """Say what intervals are, how they were found and what they compare with."""
    first = rows.iloc[0]
    known = rows[rows["rule"].isin(list(RULES))]
    found = ""
    if len(known):
        own = known.iloc[0]
        unit = str(own["unit"])
        rule = RULES[str(own["rule"])].format(unit=unit, units=counted(int(own["dev_units"]), unit))
        found = f" Reach: {rule}."
    return (
        "The interval of a value reaches equally far to both sides of the mean over seeds after "
        f"post-processing.{found} Coverage: share of frames whose gold standard lies within, each "
        f"{first['unit']} weighing the same; its interval is from the jackknife over {first['unit']}s. An "
        "interval that knew nothing but how the gold standard is distributed would be "
        f"{number(float(first['gold_width']))} wide."
    )


def _where(row: Any) -> str:
    return "test" if row["partition"] == "test" else f"dev, each {row['unit']} by what the others give"
