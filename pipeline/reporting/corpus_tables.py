"""What the corpus holds and how it was run -> tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.loading_corpus import ALL
from pipeline.reporting.table import Cell, Column, Table, count, score, texts
from pipeline.reporting.wording import share

MOST_FAILURES = 200
"""Failures named on the page; the rest is counted (all are in the failure tables)."""

TAKEN = {
    "largest": "One face is followed; changes: how often the next one taken was somewhere else.",
    "followed": "The face of the person who is seen most is taken. Persons are told apart by place and "
    "looks, which errs; false detections count among them.",
    "all": "All faces are taken, and each frame has the mean of their vectors; changes: how often other "
    "persons were there than before. Persons are told apart by place and looks, which errs.",
}
"""`video.faces.keep` -> what the counts of faces mean."""


def counts_table(inputs: ReportInputs) -> Table:
    """Return recordings, speakers and rows of features per partition."""
    columns = [Column(str(name).replace("_", " "), name != "partition") for name in inputs.counts.columns]
    rows = [
        [Cell(value) if isinstance(value, str) else count(value) for value in row]
        for row in inputs.counts.itertuples(index=False)
    ]
    return Table("counts", "Corpus", columns, rows)


def distribution_table(inputs: ReportInputs) -> Table | None:
    """Return how often each class occurs in each partition, or mean and spread of the gold standard."""
    table = inputs.distribution
    if table.empty:
        return None
    task = TASKS[inputs.corpus.task]
    if task.classes:
        names = [str(name) for name in table.columns if name != "class"]
        # one may have several labels: shares are of utterances
        whole = table[table["class"] == ALL] if task.several else table
        sums = {name: int(whole[name].sum()) for name in names}
        rows = [
            [Cell(str(row["class"]))]
            + [
                Cell(f"{count(row[name]).text} ({share(row[name], sums[name])})", float(row[name]))
                for name in names
            ]
            for row in table.to_dict("records")
        ]
        return Table("classes", "Classes", [Column("class", False), *map(Column, names)], rows)
    columns = [Column("dimension", False), Column("partition", False), Column("labels"), Column("mean")]
    columns += [Column("standard deviation"), Column("lowest"), Column("highest")]
    rows = [
        [Cell(row["dimension"]), Cell(row["partition"]), count(row["labels"])]
        + [score(row[name]) for name in ("mean", "std", "min", "max")]
        for row in table.to_dict("records")
    ]
    return Table("gold-standard", "Gold standard", columns, rows)


def face_table(inputs: ReportInputs) -> Table | None:
    """Return frames looked at, and which faces were taken, per partition; None where there are none."""
    if inputs.faces.empty or not inputs.faces["frames"].sum():
        return None
    keep = inputs.corpus.video.faces.keep
    columns = [Column("partition", False), Column("frames"), Column("with a face"), Column("share"),
               Column("faces"), Column("changes")]  # fmt: skip
    if keep != "largest":
        columns.append(Column("persons per recording"))
    rows = []
    for row in inputs.faces.to_dict("records"):
        cells = [
            Cell(str(row["partition"])), count(row["frames"]), count(row["found"]),
            Cell(share(row["found"], row["frames"]), row["found"] / row["frames"] if row["frames"] else None),
            count(row["faces"]), count(row["changes"]),
        ]  # fmt: skip
        if keep != "largest":
            mean = row["persons"] / row["recordings"] if row["recordings"] else None
            cells.append(Cell("" if mean is None else f"{mean:.1f}", mean))
        rows.append(cells)
    return Table("faces", "Faces found", columns, rows, (TAKEN[keep],))


def failure_table(inputs: ReportInputs) -> Table | None:
    """Return the recordings that could not be processed, at most `MOST_FAILURES`."""
    if inputs.failures.empty:
        return None
    rows = (
        inputs.failures.head(MOST_FAILURES)[["recording", "stage", "reason"]].astype(str).to_numpy().tolist()
    )
    names = ("recording", "stage", "reason")
    return texts(names, rows, "failures", "Recordings that could not be processed")


def problem_table(inputs: ReportInputs) -> Table | None:
    """Return what the corpus on disk lacks, each reason once, with how often and an example."""
    if inputs.problems.empty:
        return None
    grouped = inputs.problems.groupby("reason", sort=True)["recording"].agg(["size", "first"])
    rows = [[Cell(str(why)), count(row["size"]), Cell(str(row["first"]))] for why, row in grouped.iterrows()]
    columns = [Column("what", False), Column("how often"), Column("for example", False)]
    return Table("problems", "What the corpus on disk lacks", columns, rows)


def parameter_rows(values: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    """Return nested parameters as (YAML path, value)."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, Mapping):
            rows += parameter_rows(value, where)
        elif isinstance(value, list | tuple):
            rows.append((where, ", ".join(_parameter(item) for item in value) or "(none)"))
        else:
            rows.append((where, _parameter(value)))
    return rows


def _parameter(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def unlabelled(results: pd.DataFrame) -> list[str]:
    """Return the partitions that have predictions and no gold standard."""
    most = results.groupby("partition")["n"].max()
    return [str(partition) for partition, n in most.items() if n == 0]
