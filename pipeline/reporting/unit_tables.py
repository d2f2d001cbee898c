"""Confusion counts and scores of speakers and recordings -> tables of one experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.systems import in_order, label
from pipeline.reporting.loading_predictions import Units
from pipeline.reporting.table import Cell, Column, Table, count, score
from pipeline.reporting.wording import number

MOST_SPEAKERS = 30
"""Speakers named on the page, the worst first."""
MOST_WORST = 10
"""Recordings in the list of the worst."""


def class_table(
    counts: Mapping[str, NDArray[np.float64]], names: Sequence[str], models: int, key: str
) -> Table:
    """Return precision, recall and F1 of each class with its support, of each system.

    counts: system -> (gold, predicted), summed over `models`. A class that never occurs has no recall, one
    that is never predicted no precision.
    """
    systems = in_order(counts)
    columns = [Column("class", False), Column("support")]
    columns += [Column(f"{what}, {label(s)}") for s in systems for what in ("precision", "recall", "F1")]
    pooled = f", utterances of all {models} models of a system together" if models > 1 else ""
    caption = f"Scores of each class{pooled}"
    rows = []
    for code, name in enumerate(names):
        support = float(counts[systems[0]][code].sum()) / max(models, 1)
        row = [Cell(name), count(round(support))]
        for system in systems:
            own = counts[system]
            right, gold, predicted = own[code, code], own[code].sum(), own[:, code].sum()
            row.append(score(right / predicted if predicted else float("nan")))
            row.append(score(right / gold if gold else float("nan")))
            row.append(score(2 * right / (gold + predicted) if gold + predicted else float("nan")))
        rows.append(row)
    return Table(f"classes-{key}", caption, columns, rows)


def speaker_table(units: Units, metric: str, key: str) -> Table:
    """Return the score of each speaker by each system, the worst by the last system first."""
    systems = in_order(name for name in units.speakers.columns if name not in ("speaker", "recordings", "n"))
    table = units.speakers.sort_values([systems[-1], "speaker"], kind="stable").head(MOST_SPEAKERS)
    columns = [Column("speaker", False), Column("recordings"), Column("labels")]
    columns += [Column(f"{metric}, {label(system)}") for system in systems]
    rows = [
        [Cell(str(row["speaker"])), count(row["recordings"]), count(row["n"])]
        + [score(row[system]) for system in systems]
        for row in table.to_dict("records")
    ]
    more = len(units.speakers) - len(table)
    caption = "Speakers, mean of the seeds’ scores" + (
        f" (the {MOST_SPEAKERS} with the lowest scores; {more} more)" if more > 0 else ""
    )
    return Table(f"speakers-{key}", caption, columns, rows)


def worst_table(units: Units, names: Sequence[str], system: str, key: str) -> Table:
    """Return the recordings that a system does worst on."""
    table = units.worst.head(MOST_WORST)
    classes = "gold" in table
    columns = [Column("recording", False), Column("speaker", False)]
    columns += [Column("class", False), Column("mostly taken for", False)] if classes else []
    columns.append(Column("score of its class" if classes else "CCC"))
    rows = []
    for row in table.to_dict("records"):
        cells = [Cell(str(row["recording"])), Cell(str(row["speaker"]))]
        if classes:
            cells += [Cell(names[int(row["gold"])]), Cell(names[int(row["prediction"])])]
        rows.append([*cells, score(row["score"], number(row["score"]))])
    return Table(f"worst-{key}", f"Lowest scores, {label(system)}, mean over seeds", columns, rows)
