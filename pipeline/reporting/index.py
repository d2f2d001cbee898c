"""results.csv of every corpus that has a report -> one page that leads to all reports.

It is no out of DVC: every other stage belongs to one corpus, and the one over all (summary, which prints) runs
at the end of every `dvc repro`, whatever else did. It writes this page anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd

from pipeline.learning.systems.table import METHOD, REFERENCE, SYSTEMS, label
from pipeline.reporting.page import render
from pipeline.reporting.score_tables import MEANINGS
from pipeline.reporting.table import Cell, Column, Table, score
from pipeline.reporting.wording import METRIC_NAMES, number
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import HEADLINE

RESULTS, REPORT = "results.csv", "report.html"


def build_index(reports: Path) -> None:
    """Write `index.html` into the folder of all reports, over the corpora whose report is there.

    Same reports, same bytes.
    """
    rows = []
    for folder in sorted(path for path in reports.iterdir() if path.is_dir()):
        if (folder / RESULTS).is_file() and (folder / REPORT).is_file():
            rows += _rows(folder)
    columns = [Column("corpus", False), Column("experiment", False), Column("score", False)]
    columns += [Column("partition", False), Column(label(REFERENCE)), Column(label(METHOD))]
    columns.append(Column("best system", False))
    table = Table("corpora", "Headline scores, mean over seeds (and folds)", columns, rows)
    text = render("index.html.jinja", {"table": table, "meanings": MEANINGS})
    partial = reports / f".index.{os.getpid()}.tmp"  # of two writers at once the later one wins
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(reports / "index.html")
    finally:
        partial.unlink(missing_ok=True)


def _rows(folder: Path) -> list[list[Cell]]:
    """Return one row per experiment of a corpus; one row alone where nothing was trained."""
    name = Cell(folder.name, link=f"{folder.name}/{REPORT}")
    results = read_table(folder / RESULTS, "result")
    metrics = [metric for metric in HEADLINE.values() if (results["metric"] == metric).any()]
    if not metrics:
        return [[name, Cell("features only"), *[Cell("–")] * 5]]
    kind = int(metrics[0] == HEADLINE["regression"])
    results = results[(results["metric"] == metrics[0]) & (results["postprocessed"] == kind)]
    scored = results[results["partition"] == "test"]["n"].gt(0).any()
    partition = "test" if scored else "dev"
    results = results[results["partition"] == partition]
    rows = []
    for key, part in results.groupby(["target", "auxiliary", "dimension"], sort=False):
        target, auxiliary, dimension = key
        means = {str(row["system"]): float(row["mean"]) for row in part.to_dict("records")}
        alone = {
            system: mean
            for system, mean in means.items()
            if SYSTEMS[system].needs == "target" and not pd.isna(mean)
        }
        best = max(alone, key=lambda system: alone[system]) if alone else ""
        rows.append(
            [
                name, Cell(f"{target} (with {auxiliary}) → {dimension}"), Cell(METRIC_NAMES[metrics[0]]),
                Cell(partition), *(score(means.get(system, float("nan"))) for system in (REFERENCE, METHOD)),
                Cell(f"{label(best)} {number(alone[best])}") if best else Cell("–"),
            ]
        )  # fmt: skip
    return rows
