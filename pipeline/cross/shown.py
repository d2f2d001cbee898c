"""Scores of a recogniser on a corpus -> a table for people, csv and JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import label
from pipeline.cross.columns import ABOUT, COLUMNS
from pipeline.cross.evaluation import Evaluated
from pipeline.names import harmless
from pipeline.reporting.wording import METRIC_NAMES, counted, number


def lines(found: Evaluated) -> list[str]:
    """Return what is printed."""
    first = found.scores[0]
    made = " ".join(part for part in (label(found.system), found.setting) if part)
    head = f"{found.recogniser} of {found.trained_on} ({made}) on {found.corpus}, "
    head += "all labelled recordings" if found.partition == "all" else f"partition {found.partition}"
    units = "" if first["unit"] == "recording" else f", {counted(first['units'], first['unit'])}"
    head += f": {counted(first['recordings'], 'recording')}{units}"
    percent = f"{100 * first['confidence']:g} % interval"
    table = [("metric", "value", percent, "n")]
    table += [(METRIC_NAMES[row["metric"]], number(row["value"]), _ends(row), f"{row['n']:,}")
              for row in found.scores]  # fmt: skip
    said = [head, *_columns(table)]
    if found.chance is not None:
        of, what = ("WAcc", "labels") if found.several else ("UAR", "classes")
        said.append(f"  chance is a {of} of {number(found.chance)} ({len(found.classes)} {what})")
    if found.groups:
        of_groups = [("column", "group", "value", "interval", "n", "")]
        of_groups += [
            (
                str(row["column"]),
                f"{row['group']} - {row['minus']}" if row["minus"] else str(row["group"] or "largest gap"),
                number(row["value"]),
                _ends(row),
                f"{row['n']:,}",
                str(row["note"]),
            )
            for row in found.groups
        ]
        said += ["", f"  {METRIC_NAMES[found.groups[0]['metric']]} by group", *_columns(of_groups)]
    return [*said, *(f"  note: {note}" for note in found.notes)]


def as_json(found: Evaluated) -> str:
    """Return everything as JSON; what is not known is null."""
    about = dataclasses.asdict(found) | {"chance": found.chance}
    del about["several"]
    return json.dumps(_known(about), indent=1, ensure_ascii=False) + "\n"


def as_table(every: Sequence[Evaluated]) -> pd.DataFrame:
    """Return the rows of a csv: the scores of each, then those of groups."""
    rows = []
    for found in every:
        about = {name: getattr(found, name) for name in ABOUT}
        about |= {"classes": ", ".join(found.classes), "chance": found.chance}
        rows += [about | {"note": "; ".join(found.notes)} | dict(row) for row in found.scores]
        rows += [about | dict(row) for row in found.groups]
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    texts = ["column", "group", "minus", "note", "classes"]
    table[texts] = table[texts].fillna("").map(harmless)
    return table


def _ends(row: Mapping[str, Any]) -> str:
    if math.isnan(row["low"]):
        return "–"
    return f"{number(row['low'])} to {number(row['high'])}"


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _known(value: Any) -> Any:
    """Return a value with None in place of NaN, as JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _known(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_known(own) for own in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.item() if hasattr(value, "item") else value
