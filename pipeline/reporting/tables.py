"""Tables of results -> rows of text for the page."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from pipeline.learning.systems.table import in_order, label, shown_setting
from pipeline.params import Scenario
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.published import published
from pipeline.reporting.verdicts import comparisons
from pipeline.reporting.wording import METRIC_NAMES, number, spread, target_name
from pipeline.scoring.folds import BY_FOLD
from pipeline.scoring.verdict import verdict


def main_table(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return one block per scenario and dimension: `title` and `rows` of system, setting, test, dev, paper.

    With a cross-validation `test` and `dev` are means alone, and `seeds` and `folds` the standard deviations
    of test over either.
    """
    table = _headline(inputs, inputs.results)
    blocks = []
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        here = of_case(table, scenario, dimension)
        paper = {} if inputs.rendered else published(inputs.corpus, scenario, dimension)
        rows = []
        for system in in_order(here["system"]):
            scores = here[here["system"] == system].set_index("partition")
            first = scores.iloc[0]
            rows.append(
                {
                    "system": label(system),
                    "setting": _setting(first["setting"]),
                    "test": _cell(scores, "test", "mean" if inputs.folds else "spread"),
                    "dev": _cell(scores, "dev", "mean" if inputs.folds else "spread"),
                    "seeds": _cell(scores, "test", "std"),
                    "folds": _cell(scores, "test", "std_folds") if inputs.folds else "–",
                    "paper": paper.get(system, "–"),
                }
            )
        blocks.append({"title": case_name(inputs, scenario, dimension), "rows": rows, "paper": bool(paper)})
    return blocks


def fold_table(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return one block per scenario and dimension: `title`, `systems`, and `rows` of a fold each.

    A row has `fold`, its test `speakers` and `recordings`, and `cells`: of each system the score on that test
    (mean over seeds) and the setting that the fold's dev chose. The last row is the mean over folds.
    """
    blocks = []
    sizes = inputs.fold_sizes.to_dict("records")
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions) if sizes else ():
        here = of_case(_headline(inputs, inputs.fold_results), scenario, dimension)
        here = here[here["partition"] == "test"]
        whole = of_case(_headline(inputs, inputs.results), scenario, dimension)
        means = whole[whole["partition"] == "test"].set_index("system")["mean"].to_dict()
        systems = in_order(here["system"])
        rows = []
        for fold in sizes:
            scores = here[here["fold"] == fold["fold"]].set_index("system").to_dict("index")
            cells = [
                (number(own["mean"]), _setting(own["setting"])) if own["n"] else ("no labels", "")
                for own in (scores[name] for name in systems)
            ]
            rows.append(_fold_row(fold["fold"], fold["speakers"], fold["recordings"], cells))
        speakers, recordings = (int(inputs.fold_sizes[name].sum()) for name in ("speakers", "recordings"))
        rows.append(_fold_row("mean", speakers, recordings, [(number(means[name]), "") for name in systems]))
        title = case_name(inputs, scenario, dimension)
        blocks.append({"title": title, "systems": [label(name) for name in systems], "rows": rows})
    return blocks


def _fold_row(fold: str, speakers: int, recordings: int, cells: list[tuple[str, str]]) -> dict[str, Any]:
    return {"fold": fold, "speakers": _count(speakers), "recordings": _count(recordings), "cells": cells}


def case_name(inputs: ReportInputs, scenario: Scenario, dimension: str) -> str:
    """Return `audio → arousal`, or `audio (with appearance) → arousal` where targets have several."""
    return f"{target_name(inputs.corpus, scenario.target, scenario.auxiliary)} → {dimension}"


def of_case(table: pd.DataFrame, scenario: Scenario, dimension: str) -> pd.DataFrame:
    """Return the rows of a table that belong to a scenario and dimension."""
    return table[
        (table["target"] == scenario.target)
        & (table["auxiliary"] == scenario.auxiliary)
        & (table["dimension"] == dimension)
    ]


def _headline(inputs: ReportInputs, table: pd.DataFrame) -> pd.DataFrame:
    return table[(table["metric"] == inputs.metric) & (table["postprocessed"] == inputs.postprocessed)]


def _setting(setting: str) -> str:
    return setting if setting == BY_FOLD else shown_setting(setting)


def comparison_table(inputs: ReportInputs) -> list[dict[str, Any]]:
    """Return one row per scenario, dimension and system other than the reference.

    `established`: see `pipeline.scoring.verdict`.
    """
    rows = []
    for row in comparisons(inputs).to_dict("records"):
        interval = f"{number(row['low'], signed=True)} to {number(row['high'], signed=True)}"
        rows.append(
            {
                "case": f"{target_name(inputs.corpus, row['target'], row['auxiliary'])} → {row['dimension']}",
                "system": label(row["system"]),
                "difference": number(row["difference"], signed=True),
                "interval": "–" if pd.isna(row["low"]) else interval,
                "established": verdict(row) != "none",
                "p_bootstrap": _p(row["p_bootstrap"]),
                "seeds": f"{number(row['difference_std'])} ({row['wins']} of {row['seeds']} up)",
                "p_paper": _p(row["p_one_sided"]),
                "n": f"{int(row['n']):,}".replace(",", " "),
                "unit": f"{row['units']}",
                "p_speakers": _p(row["p_speakers"]),
                "n_speakers": f"{row['n_speakers']}",
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
    by = ["target", "auxiliary", "dimension", "system", "postprocessed", "partition"]
    for key, part in table.groupby(by, sort=False):
        target, auxiliary, dimension, system, postprocessed, partition = key
        values = part.set_index("metric")[["mean", "std"]].to_dict("index")
        cells = [spread(values[m]["mean"], values[m]["std"]) for m in metrics]
        kind = "post-processed" if postprocessed else "raw"
        name = target_name(inputs.corpus, str(target), str(auxiliary))
        rows.append([name, str(dimension), label(str(system)), kind, str(partition), *cells])
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
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _cell(scores: pd.DataFrame, partition: str, what: str) -> str:
    """Return a column of a partition's row as text, or `mean ± std` for `spread`."""
    if partition not in scores.index:
        return "–"
    row = scores.to_dict("index")[partition]
    if not row["n"]:
        return "no labels"
    return spread(row["mean"], row["std"]) if what == "spread" else number(row[what])


def _p(value: float) -> str:
    if pd.isna(value):
        return "–"
    return "< .001" if value < 0.001 else number(float(value))
