"""Tables of results -> rows of text for the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.published import published
from pipeline.reporting.wording import METRIC_NAMES, SYSTEM_NAMES, comparisons, number, spread
from pipeline.scoring.bootstrap import smallest_p
from pipeline.scoring.predictions import SYSTEMS


def main_table(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return one block per target and dimension: `title` and `rows` of system, point, test, dev, paper."""
    table = inputs.results[
        (inputs.results["metric"] == inputs.metric)
        & (inputs.results["postprocessed"] == inputs.postprocessed)
    ]
    blocks = []
    for scenario in inputs.corpus.scenarios:
        for dimension in inputs.corpus.dimensions:
            here = table[(table["target"] == scenario.target) & (table["dimension"] == dimension)]
            paper = {} if inputs.rendered else published(inputs.corpus.layout, scenario.target, dimension)
            rows = []
            for system in (name for name in SYSTEMS if (here["system"] == name).any()):
                scores = here[here["system"] == system].set_index("partition")
                first = scores.iloc[0]
                rows.append(
                    {
                        "system": SYSTEM_NAMES[system],
                        "alpha": f"{first['alpha']:g}",
                        "beta": f"{first['beta']:g}",
                        "test": _cell(scores, "test"),
                        "dev": _cell(scores, "dev"),
                        "paper": paper.get(system, "–"),
                    }
                )
            blocks.append({"title": f"{scenario.target} → {dimension}", "rows": rows, "paper": bool(paper)})
    return blocks


def comparison_table(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return one row per target, dimension and system other than classic.

    `established`: the interval excludes zero and there are enough units for that to mean something.
    """
    rows = []
    for row in comparisons(inputs).to_dict("records"):
        enough = smallest_p(row["units"]) <= 1 - row["confidence"]
        interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
        rows.append(
            {
                "case": f"{row['target']} → {row['dimension']}",
                "system": SYSTEM_NAMES[row["system"]],
                "difference": number(row["difference"], signed=True),
                "interval": "–" if pd.isna(row["low"]) else interval,
                "established": bool((row["low"] > 0 or row["high"] < 0) and enough),
                "p_bootstrap": _p(row["p_bootstrap"]),
                "seeds": f"{number(row['difference_std'])} ({row['wins']} of {row['seeds']} up)",
                "p_paper": _p(row["p_one_sided"]),
                "n": f"{int(row['n']):,}".replace(",", " "),
                "unit": f"{row['units']}",
            }
        )
    return rows


def all_scores(inputs: ReportInputs) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of every metric, raw and post-processed, dev and test."""
    metrics = list(dict.fromkeys(inputs.results["metric"]))
    header = [
        "target",
        "dimension",
        "system",
        "predictions",
        "partition",
        *(METRIC_NAMES[m] for m in metrics),
    ]
    table = inputs.results
    if inputs.corpus.task == "classification":  # nothing is post-processed: both kinds are the same
        table = table[table["postprocessed"] == 0]
    rows = []
    by = ["target", "dimension", "system", "postprocessed", "partition"]
    for key, part in table.groupby(by, sort=False):
        target, dimension, system, postprocessed, partition = key
        values = part.set_index("metric")[["mean", "std"]].to_dict("index")
        cells = [spread(values[m]["mean"], values[m]["std"]) for m in metrics]
        kind = "post-processed" if postprocessed else "raw"
        rows.append([str(target), str(dimension), SYSTEM_NAMES[str(system)], kind, str(partition), *cells])
    return header, rows


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


def frame_rows(frame: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return header and rows of a table of counts, whole numbers with thin spaces."""
    header = [str(name).replace("_", " ") for name in frame.columns]
    return header, [[_count(value) for value in row] for row in frame.itertuples(index=False)]


def face_rows(faces: pd.DataFrame) -> list[list[str]]:
    """Return partition, frames, frames with a face and their share."""
    return [
        [str(row.partition), _count(row.frames), _count(row.found), _share(row.found, row.frames)]
        for row in faces.itertuples()
    ]


def _share(part: Any, whole: Any) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _count(value: Any) -> str:
    return value if isinstance(value, str) else f"{int(value):,}".replace(",", "\u2009")


def _parameter(value: Any) -> str:
    if isinstance(value, Mapping):
        return "+".join(str(item) for item in value.values())
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cell(scores: pd.DataFrame, partition: str) -> str:
    if partition not in scores.index:
        return "–"
    row = scores[["mean", "std", "n"]].to_dict("index")[partition]
    return spread(row["mean"], row["std"]) if row["n"] else "no labels"


def _p(value: float) -> str:
    if pd.isna(value):
        return "–"
    return "< .001" if value < 0.001 else number(float(value))
