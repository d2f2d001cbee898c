"""results.csv of every corpus that has a report -> one page that leads to all reports.

It is no out of DVC: every other stage belongs to one corpus, and the one over all (summary, which prints)
runs at the end of every `dvc repro`, whatever else did. It writes this page anew.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

from pipeline.catalogue.systems import REFERENCE, SYSTEMS, label, leading
from pipeline.reporting.cross_table import cross_table
from pipeline.reporting.rendering import render
from pipeline.reporting.table import Cell, Column, Table, dash, score
from pipeline.reporting.wording import METRIC_NAMES, number
from pipeline.scoring.headline import HEADLINE, headline

RESULTS, REPORT, CROSS = "results.csv", "report.html", "cross.csv"
NOBODY = "no system that another modality helps was trained, or has a score"


def build_index(reports: Path) -> None:
    """Write `index.html` into the folder of all reports, over the corpora whose report is there.

    Same reports, same bytes.
    """
    rows = []
    for folder in sorted(path for path in reports.iterdir() if path.is_dir()):
        if (folder / RESULTS).is_file() and (folder / REPORT).is_file():
            rows += _rows(folder)
    columns = [Column("corpus", False), Column("experiment", False), Column("score", False)]
    columns += [
        Column("partition", False),
        Column(label(REFERENCE)),
        Column("with all modalities in training"),
    ]
    columns.append(Column("best system", False))
    table = Table("corpora", "Headline scores, mean over seeds (and folds)", columns, rows)
    text = render("index.html.jinja", {"table": table, "cross": cross_table(reports / CROSS)})
    partial = reports / f".index.{os.getpid()}.tmp"  # of two writers at once the later one wins
    try:
        partial.write_text(text + "\n", encoding="utf-8")
        partial.replace(reports / "index.html")
    finally:
        partial.unlink(missing_ok=True)


def _rows(folder: Path) -> list[list[Cell]]:
    """Return one row per experiment of a corpus; one row alone where nothing was trained."""
    name = Cell(folder.name, link=f"{folder.name}/{REPORT}")
    found = [own for own in (headline(folder / RESULTS, task) for task in HEADLINE) if own.scores]
    if not found:
        return [[name, Cell("features only"), *[dash("nothing was trained")] * 5]]
    rows = []
    for (target, auxiliary, dimension), systems in found[0].scores.items():
        means = {system: own.mean for system, own in systems.items()}
        alone = {
            system: mean
            for system, mean in means.items()
            if SYSTEMS[system].needs == "target" and not math.isnan(mean)
        }
        best = max(alone, key=lambda system: alone[system]) if alone else ""
        helped = leading(alone)
        rows.append(
            [
                name, Cell(f"{target} (with {auxiliary}) → {dimension}"), Cell(METRIC_NAMES[found[0].metric]),
                Cell(found[0].partition),
                score(means.get(REFERENCE, float("nan"))),
                Cell(f"{label(helped)} {number(alone[helped])}", alone[helped]) if helped else dash(NOBODY),
                Cell(f"{label(best)} {number(alone[best])}") if best else dash("no system has a score"),
            ]
        )  # fmt: skip
    return rows
