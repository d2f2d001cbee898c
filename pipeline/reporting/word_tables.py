"""scores/words.csv -> what one experiment's page shows of classes by their words, those never seen first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import in_order, label
from pipeline.reporting.table import Cell, Column, Table, count, interval, score
from pipeline.reporting.wording import number
from pipeline.scoring.word_scores import AMOUNTS, GAIN, MEAN, OWN
from pipeline.wording import listed

HOW = {"none": "never seen", "some": "seen rarely", "all": "seen"}
FIRST = ("auc", "wacc")
"""With their intervals."""
SHORT = {
    OWN: "AUC, own logit",
    "wacc": "WAcc",
    "f1_binary": "F1",
    "f1_weighted_binary": "weighted F1",
    "auc": "AUC",
}


def word_table(rows: pd.DataFrame, key: str) -> Table:
    """Return the scores of each class by each system; rows: of one experiment."""
    first = rows.iloc[0]
    sure = f"{first['confidence'] * 100:g} % interval"
    columns = [
        Column("class", False),
        Column("in training", False),
        Column("system", False),
        Column("recordings"),
    ]
    with_intervals = [OWN, *FIRST] if (rows["metric"] == OWN).any() else [*FIRST]
    columns += [column for metric in with_intervals for column in (Column(SHORT[metric]), Column(sure))]
    columns += [Column(SHORT["f1_binary"]), Column(SHORT["f1_weighted_binary"])]
    table = []
    for how in AMOUNTS:
        here = rows[rows["learned"] == how]
        for emotion in dict.fromkeys([*here.loc[here["emotion"] != MEAN, "emotion"], MEAN]):
            for system in in_order(here["system"]):
                own = here[(here["emotion"] == emotion) & (here["system"] == system)].set_index("metric")
                if own.empty:
                    continue
                of = {metric: own.loc[metric] for metric in SHORT if metric in own.index}
                table.append(
                    [
                        Cell(f"mean of those {HOW[how]}" if emotion == MEAN else str(emotion)),
                        Cell(HOW[how]), Cell(label(system)), count(of["auc"]["present"]),
                        *(cell for metric in with_intervals for cell in _with_interval(of[metric])),
                        *(score(of[metric]["value"]) for metric in ("f1_binary", "f1_weighted_binary")),
                    ]
                )  # fmt: skip
    caption = (
        f"Each class as a question of its own, on test, mean over seeds, n = {int(first['n'])} recordings"
    )
    return Table(f"words-{key}", caption, columns, table, (word_note(rows),))


def word_note(rows: pd.DataFrame) -> str:
    """Say what chance is, and whether classes never seen are told from it."""
    note = (
        "AUC and WAcc (weighted accuracy, the mean of the recalls of present and absent) are .500 for who "
        "guesses, F1 has no such figure; weighted F1 counts what is absent too and is high for rare classes."
    )
    unseen = rows[(rows["learned"] == "none") & (rows["metric"] == "auc")]
    for system in in_order(unseen["system"]):
        own = unseen[unseen["system"] == system]
        names = listed([str(name) for name in own["emotion"] if name != MEAN])
        for row in own[own["emotion"] == MEAN].to_dict("records"):
            note += (
                f" {label(system)}, never having seen {names}: AUC {number(row['value'])}, {_verdict(row)}."
            )
    gains = rows[rows["metric"] == "auc" + GAIN]
    if len(gains):
        note += (
            " Where a recording has one class AUC is of its probability among all: a class never seen may be "
            "told by fitting no other, whatever its word is. What the words add:"
        )
    for row in gains.to_dict("records"):
        note += (
            f" {label(row['system'])}, AUC {number(row['value'], signed=True)} over its control, "
            f"{_verdict(row)}."
        )
    by_own = rows[(rows["metric"] == OWN) & (rows["learned"] == "none") & (rows["emotion"] == MEAN)]
    for row in by_own.to_dict("records"):
        note += (
            f" By the class’s own logit alone: {label(row['system'])}, AUC {number(row['value'])}, "
            f"{_verdict(row)}."
        )
    return note


def _verdict(row: Mapping[Any, Any]) -> str:
    if pd.isna(row["low"]):
        return "without an interval"
    signed = row["chance"] == 0
    between, what = (
        f"{number(row['low'], signed)} to {number(row['high'], signed)}",
        "0" if signed else "chance",
    )
    if row["low"] > row["chance"]:
        return f"above {what} ({between})"
    return f"{'below' if row['high'] < row['chance'] else 'not told from'} {what} ({between})"


def _with_interval(row: pd.Series) -> tuple[Cell, Cell]:
    return score(row["value"]), interval(row["low"], row["high"])
