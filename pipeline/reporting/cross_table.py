"""cross.csv -> the table of the index page: recognisers by the corpora that they are scored on.

Read row by row: the page is written at the end of every run, and waits for no library that computes.
"""

from __future__ import annotations

import csv
import math
from pathlib import Path

from pipeline.catalogue.systems import label
from pipeline.reporting.table import Cell, Column, Table
from pipeline.reporting.wording import METRIC_NAMES, number, whole
from pipeline.scoring.headline import HEADLINE

NOTHING_COMMON = "nothing in common"
"""How the note of a pair begins whose labels, classes or modalities are others."""
KEY = ("recogniser", "trained_on", "system", "setting", "dimension")


def cross_table(path: Path) -> Table | None:
    """Return the table, or None where `run.cross` asks for none.

    One row per recogniser and one column per corpus; a cell has the headline score, its interval, how many
    rows were scored, and of classes how many are common; or why there is none.
    """
    if not path.is_file():
        return None
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if not row["column"]]
    wanted = {*HEADLINE.values(), ""}
    cells: dict[tuple[str, ...], dict[str, dict[str, str]]] = {}
    corpora = list(dict.fromkeys(row["corpus"] for row in rows))
    for row in rows:
        if row["metric"] in wanted:
            cells.setdefault(tuple(row[name] for name in KEY), {})[row["corpus"]] = row
    if not cells:
        return None
    columns = [Column("trained on", False), Column("recogniser", False)]
    columns += [Column(f"tested on {name}", False) for name in corpora]
    table = []
    for (recogniser, trained_on, system, setting, _), of_corpus in cells.items():
        made = " ".join(part for part in (label(system), setting) if part)
        first = [Cell(trained_on), Cell(recogniser, detail=made)]
        table.append([*first, *(_cell(of_corpus.get(name)) for name in corpora)])
    return Table(
        "cross", "Each recogniser on each corpus", columns, table,
        [
            "Of the corpus that a recogniser learnt from the test partition is scored, of others all "
            "labelled recordings; intervals are over speakers or recordings. Notes on overlap, scales and "
            "delays: cross.csv.",
        ],
    )  # fmt: skip


def _cell(row: dict[str, str] | None) -> Cell:
    if row is None:
        return Cell("–")
    if not row["metric"]:
        nothing = row["note"].startswith(NOTHING_COMMON)
        note = row["note"].removeprefix(f"{NOTHING_COMMON}: ")
        return Cell(NOTHING_COMMON if nothing else "not scored", detail=note)
    value = float(row["value"]) if row["value"] else float("nan")
    unit = row["unit"] + ("" if row["units"] == "1" else "s")
    detail = f"n = {whole(int(row['n']))}, {row['units']} {unit}"
    if row["low"]:
        low, high = number(float(row["low"])), number(float(row["high"]))
        detail = f"{float(row['confidence']):.0%} interval {low} to {high}, {detail}"
    if row["classes"]:
        common = row["classes"].count(",") + 1
        several = row["metric"] == HEADLINE["multilabel"]
        what, of = ("labels", "WAcc") if several else ("classes", "UAR")
        detail += f", {common} common {what}, chance {of} {number(float(row['chance']))}"
    text = f"{METRIC_NAMES[row['metric']]} {number(value)}"
    return Cell(text, None if math.isnan(value) else value, detail=detail)
