"""Several labels per utterance -> tables: scores of each class, calibration of each, and labels together."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pipeline.catalogue.systems import label
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.table import Cell, Column, Table, count, interval, score
from pipeline.reporting.wording import METRIC_NAMES, share, spread


def class_scores_table(rows: pd.DataFrame, names: Sequence[str], key: str) -> Table:
    """Return the scores of each class by each system, with how many utterances have it.

    rows: of scores/classes.csv, of one experiment. names: of the classes, in their order.
    """
    first = rows.iloc[0]
    metrics = ("f1_binary", "f1_weighted_binary", "auc")
    columns = [Column("class", False), Column("utterances with it"), Column("system", False)]
    columns += [Column(METRIC_NAMES["wacc"]), Column(f"{first['confidence'] * 100:g} % interval")]
    columns += [Column(METRIC_NAMES[metric]) for metric in metrics]
    table = []
    for name in names:
        for row in rows[rows["class"] == name].to_dict("records"):
            there = f"{count(row['present']).text} ({share(row['present'], row['n'])})"
            table.append(
                [
                    Cell(str(name)), Cell(there, float(row["present"])), Cell(label(row["system"])),
                    score(row["wacc"], spread(row["wacc"], row["wacc_std"])),
                    interval(row["wacc_low"], row["wacc_high"]),
                    *(score(row[metric]) for metric in metrics),
                ]
            )  # fmt: skip
    caption = (
        f"Scores of each class on {first['partition']}, mean over seeds, n = {int(first['n'])} utterances"
    )
    return Table(f"classes-{key}", caption, columns, table)


def set_calibration_table(rows: pd.DataFrame, names: Sequence[str], key: str) -> Table:
    """Return the calibration error of each class by each system; rows: of scores/uncertainty.csv."""
    first = rows.iloc[0]
    columns = [Column("class", False), Column("system", False), Column("slope"), Column("offset")]
    columns += [
        Column("ECE before"),
        Column("ECE after"),
        Column(f"{first['confidence'] * 100:g} % interval"),
    ]
    columns += [Column("by chance")]
    table = [
        [
            Cell(str(name)), Cell(label(row["system"])),
            *(Cell("by fold") if pd.isna(row[own]) else score(row[own]) for own in ("slope", "offset")),
            score(row["ece_before"]), score(row["ece"]), interval(row["ece_low"], row["ece_high"]),
            score(row["ece_by_chance"]),
        ]
        for name in names
        for row in rows[rows["class"] == name].to_dict("records")
    ]  # fmt: skip
    note = (
        "Calibrated is what a recogniser gives out, the mean of the probabilities over seeds, by a line on "
        "the logit of each class, fitted on dev where it has enough of both answers. It does not change "
        "which labels are predicted. ECE: expected calibration error of the class, ten bins. By chance: what "
        "a perfectly calibrated system would show with as many utterances."
    )
    caption = f"Calibration of each class on {first['partition']}, n = {int(first['n'])} utterances"
    return Table(f"calibration-{key}", caption, columns, table, (note,))


def together_table(inputs: ReportInputs) -> Table | None:
    """Return how many utterances have two labels at once, and on the diagonal how many have each."""
    table = inputs.together
    if table.empty:
        return None
    columns = [Column("", False), *(Column(str(name)) for name in table.columns)]
    rows = [
        [Cell(str(name)), *(count(value) for value in row)]
        for name, row in zip(table.index, table.to_numpy(), strict=True)
    ]
    caption = "Labels together: utterances that have both; on the diagonal all that have the label"
    return Table("labels-together", caption, columns, rows)
