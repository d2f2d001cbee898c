"""results.csv -> the tables of scores: one per experiment, one over all experiments, and every metric."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

import pandas as pd

from pipeline.catalogue.systems import REFERENCE, SYSTEMS, in_order, label, leading
from pipeline.catalogue.tasks import TASKS
from pipeline.params import Scenario
from pipeline.reporting.answer import chance, enrolment_note, headline_rows
from pipeline.reporting.compared import comparisons
from pipeline.reporting.coverage import of_all_folds
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.published import published
from pipeline.reporting.settings_shown import shown_setting
from pipeline.reporting.table import (
    ALL_MODALITIES,
    GAIN,
    LOSS,
    MEANINGS,
    Cell,
    Column,
    Table,
    dash,
    interval,
    mark_best,
    score,
)
from pipeline.reporting.wording import METRIC_NAMES, number, spread, target_name
from pipeline.scoring.folds import BY_FOLD
from pipeline.scoring.verdict import verdict

NOT_COMPARED = "one of both was not trained"
LEFT_OUT = "dev, left out"
"""Column of dev by settings that its other units and seeds chose."""


def interval_name(inputs: ReportInputs) -> str:
    """Name the column of the intervals of scores; with folds they are of all predictions pooled."""
    name = f"{inputs.corpus.evaluation.confidence * 100:g} % interval"
    return f"{name} (pooled)" if inputs.folds else name


def case_name(inputs: ReportInputs, scenario: Scenario, dimension: str) -> str:
    """Return `audio → arousal`, or `audio (with appearance) → arousal` where targets have several."""
    return f"{target_name(inputs.corpus, scenario.target, scenario.auxiliary)} → {dimension}"


def case_key(scenario: Scenario, dimension: str) -> str:
    """Return the id of an experiment on the page."""
    return f"{scenario.name}-{dimension}".replace("+", "-").replace("@", "-")


def of_case(table: pd.DataFrame, scenario: Scenario, dimension: str) -> pd.DataFrame:
    """Return the rows of a table that belong to a scenario and dimension."""
    return table[
        (table["target"] == scenario.target)
        & (table["auxiliary"] == scenario.auxiliary)
        & (table["dimension"] == dimension)
    ]


def headline(inputs: ReportInputs, table: pd.DataFrame, postprocessed: int | None = None) -> pd.DataFrame:
    """Return the rows of the headline metric and kind; postprocessed: another kind."""
    kind = inputs.postprocessed if postprocessed is None else postprocessed
    return table[(table["metric"] == inputs.metric) & (table["postprocessed"] == kind)]


def setting_text(setting: str) -> str:
    """Write a setting for the page; `by fold` where folds chose different ones."""
    return setting if setting == BY_FOLD else shown_setting(setting)


def main_tables(inputs: ReportInputs) -> list[Table]:
    """Return one table of scores per scenario and dimension.

    Post-processed and raw test scores stand beside each other, each of the setting chosen on dev among
    predictions of its kind. With a cross-validation `test` and `dev` are means alone, beside the standard
    deviations of test over seeds and over folds.
    """
    return [
        _main_table(inputs, scenario, dimension)
        for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions)
    ]


def _main_table(inputs: ReportInputs, scenario: Scenario, dimension: str) -> Table:
    here = of_case(headline(inputs, inputs.results), scenario, dimension)
    raw = of_case(headline(inputs, inputs.results, 0), scenario, dimension) if inputs.postprocessed else None
    paper = {} if inputs.rendered else published(inputs.corpus, scenario, dimension)
    what = "mean" if inputs.folds else "spread"
    names = ["test"]
    if raw is not None:
        names.append("test, raw")
    names += ["± seeds", "± folds"] if inputs.folds else []
    if inputs.partition == "dev":
        names.append(LEFT_OUT)
    names.append("dev")
    intervals = (
        of_case(headline(inputs, inputs.intervals), scenario, dimension)
        if len(inputs.intervals)
        else here[:0]
    )
    intervals = intervals[intervals["partition"] == inputs.partition].set_index("system")
    if len(intervals):
        behind = "± folds" if inputs.folds else "test" if inputs.partition == "test" else LEFT_OUT
        names.insert(names.index(behind) + 1, interval_name(inputs))
    columns = [Column("system", False), *map(Column, names), Column("setting", False)]
    columns += [Column("paper")] if paper else []
    judged = _verdicts(inputs, scenario, dimension)
    systems = in_order(here["system"])
    rows = []
    for system in systems:
        scores = here[here["system"] == system].set_index("partition")
        test = _cell(scores, "test", what)
        if system in judged and inputs.partition == "test":
            test = test.marked(judged[system])
        cells = {"test": test, "dev": _cell(scores, "dev", what)}
        if system in intervals.index:
            own = intervals.loc[[system]].to_dict("records")[0]
            cells[LEFT_OUT] = score(own["value"], spread(own["value"], own["std"]))
            cells[interval_name(inputs)] = interval(own["low"], own["high"])
        if raw is not None:
            cells["test, raw"] = _cell(raw[raw["system"] == system].set_index("partition"), "test", what)
        if inputs.folds:
            cells["± seeds"] = _cell(scores, "test", "std")
            cells["± folds"] = _cell(scores, "test", "std_folds")
        row = [
            _system(system),
            *(cells.get(name, dash("the system predicts nothing here")) for name in names),
            Cell(setting_text(scores["setting"].iloc[0])),
        ]
        rows.append(row + ([_of_paper(paper, system)] if paper else []))
    everywhere = set(of_all_folds(here[here["partition"] == "test"])["system"])
    alone = [
        row
        for row, system in enumerate(systems)
        if SYSTEMS[system].needs == "target" and (not inputs.folds or system in everywhere)
    ]
    for place, name in enumerate(names, 1):
        if name.startswith(("test", "dev")):
            mark_best(rows, place, alone)
    rows.append(_chance_row(inputs, len(columns)))
    return Table(
        f"scores-{case_key(scenario, dimension)}",
        case_name(inputs, scenario, dimension),
        columns,
        rows,
        _notes(inputs),
    )


def _notes(inputs: ReportInputs) -> tuple[str, ...]:
    return tuple(filter(None, [enrolment_note(inputs)]))


def marks_explained(tables: list[Table]) -> str:
    """Say what the marks that occur in tables of scores mean."""
    marks = set().union(*(table.marks for table in tables)) if tables else set()
    return "; ".join(f"{mark} {meaning}" for mark, meaning in MEANINGS.items() if mark in marks)


def _verdicts(inputs: ReportInputs, scenario: Scenario, dimension: str) -> dict[str, str]:
    """Return system -> the mark of an established gain or loss."""
    signs = {"gain": GAIN, "loss": LOSS}
    rows = of_case(comparisons(inputs), scenario, dimension) if len(inputs.significance) else pd.DataFrame()
    found = {row["system"]: verdict(row) for row in rows.to_dict("records")}
    return {str(system): signs[kind] for system, kind in found.items() if kind in signs}


def _system(system: str) -> Cell:
    cell = Cell(SYSTEMS[system].label)
    return cell if SYSTEMS[system].needs == "target" else cell.marked(ALL_MODALITIES)


def _chance_row(inputs: ReportInputs, columns: int) -> list[Cell]:
    """Return the row of what knows nothing: guesses, or for traces a constant, whose CCC is 0."""
    value = chance(inputs)
    what = "guessing" if TASKS[inputs.corpus.task].classes else "a constant"
    return [Cell(f"chance: {what}"), score(value), *[dash("not of chance")] * (columns - 2)]


def _of_paper(paper: Mapping[str, str], system: str) -> Cell:
    return Cell(paper[system]) if system in paper else dash("the paper’s text has no figure")


def summary_table(inputs: ReportInputs) -> Table:
    """Return one row per experiment: reference, `leading` system, their difference, the best one, links."""
    table = headline_rows(inputs)
    own = leading(table["system"])
    shown = [name for name in (REFERENCE, own) if name and (table["system"] == name).any()]
    columns = [Column("experiment", False), *(Column(label(name)) for name in shown)]
    columns += [Column("difference"), Column("interval"), Column("best system", False)]
    rows = []
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions):
        means = of_case(table, scenario, dimension).set_index("system")["mean"]
        here = {str(name): float(mean) for name, mean in means.items()}
        row = [Cell(case_name(inputs, scenario, dimension), link=f"#{case_key(scenario, dimension)}")]
        row += [score(here.get(name, float("nan"))) for name in shown]
        compared = (
            of_case(comparisons(inputs), scenario, dimension) if len(inputs.significance) else table[:0]
        )
        found = compared[compared["system"] == own].to_dict("records")
        row += _difference(found[0], inputs.partition) if found else [dash(NOT_COMPARED)] * 2
        everywhere = set(of_all_folds(of_case(table, scenario, dimension))["system"])
        alone = {
            name: mean
            for name, mean in here.items()
            if SYSTEMS[name].needs == "target" and mean == mean and name in everywhere
        }
        best = max(alone, key=lambda name: alone[name]) if alone else ""
        row.append(Cell(f"{label(best)} {number(alone[best])}") if best else dash("no system has a score"))
        rows.append(row)
    caption = f"{METRIC_NAMES[inputs.metric]} on {inputs.partition}, mean over {_over(inputs)}"
    return Table("summary", caption, columns, rows, _notes(inputs))


def _over(inputs: ReportInputs) -> str:
    return "folds and seeds" if inputs.folds else "seeds"


def _difference(row: dict[Any, Any], partition: str) -> list[Cell]:
    difference = score(row["difference"], number(row["difference"], signed=True))
    kind = verdict(row)
    if kind != "none":
        difference = difference.marked(GAIN if kind == "gain" else LOSS)
    if partition != "test":
        return [difference, dash("dev, where settings were chosen: below")]
    return [difference, interval(row["low"], row["high"], signed=True)]


def all_scores(inputs: ReportInputs) -> Table:
    """Return every metric, raw and post-processed, dev and test."""
    metrics = list(dict.fromkeys(inputs.results["metric"]))
    columns = [Column(name, False) for name in ("target", "dimension", "system", "predictions", "partition")]
    columns += [Column(METRIC_NAMES[metric]) for metric in metrics]
    table = inputs.results
    if not TASKS[inputs.corpus.task].finished:  # nothing is post-processed: both kinds are the same
        table = table[table["postprocessed"] == 0]
    rows = []
    by = ["target", "auxiliary", "dimension", "system", "postprocessed", "partition"]
    for key, part in table.groupby(by, sort=False):
        target, auxiliary, dimension, system, postprocessed, partition = key
        values = part.set_index("metric")[["mean", "std"]].to_dict("index")
        cells = [score(values[m]["mean"], spread(values[m]["mean"], values[m]["std"])) for m in metrics]
        kind = "post-processed" if postprocessed else "raw"
        name = target_name(inputs.corpus, str(target), str(auxiliary))
        texts = (name, str(dimension), label(str(system)), kind, str(partition))
        rows.append([*map(Cell, texts), *cells])
    return Table("all-metrics", "All metrics", columns, rows)


def _cell(scores: pd.DataFrame, partition: str, what: str) -> Cell:
    """Return a column of a partition's row, or `mean ± std` for `spread`."""
    if partition not in scores.index:
        return dash(f"the system predicts nothing of {partition}")
    row = scores.to_dict("index")[partition]
    if not row["n"]:
        return Cell("no labels")
    if what == "spread":
        return score(row["mean"], spread(row["mean"], row["std"]))
    return score(row[what])
