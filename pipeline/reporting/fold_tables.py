"""Scores of single folds -> one table per experiment."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from pipeline.catalogue.systems import in_order, label
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.score_tables import case_key, case_name, headline, of_case, setting_text
from pipeline.reporting.table import Cell, Column, Table, count, dash, score


def fold_tables(inputs: ReportInputs) -> list[Table]:
    """Return one table per scenario and dimension; none without a cross-validation.

    A row has the fold, of each system the score on its test (mean over seeds) with the setting that the
    fold's dev chose below it, and the speakers and recordings tested; a dash where it predicts none of them.
    The last row is the mean over folds.
    """
    tables = []
    sizes = inputs.fold_sizes.to_dict("records")
    for scenario, dimension in product(inputs.corpus.scenarios, inputs.corpus.dimensions) if sizes else ():
        here = of_case(headline(inputs, inputs.fold_results), scenario, dimension)
        here = here[here["partition"] == "test"]
        whole = of_case(headline(inputs, inputs.results), scenario, dimension)
        means = whole[whole["partition"] == "test"].set_index("system")["mean"].to_dict()
        systems = in_order(here["system"])
        rows = []
        for fold in sizes:
            scores = here[here["fold"] == fold["fold"]].set_index("system").to_dict("index")
            cells = [_cell(scores.get(name)) for name in systems]
            rows.append([Cell(fold["fold"]), *cells, count(fold["speakers"]), count(fold["recordings"])])
        sums = [count(int(inputs.fold_sizes[name].sum())) for name in ("speakers", "recordings")]
        rows.append([Cell("mean"), *(score(means[name]) for name in systems), *sums])
        columns = [Column("fold", False), *(Column(label(name)) for name in systems)]
        columns += [Column("speakers"), Column("recordings")]
        key = f"folds-{case_key(scenario, dimension)}"
        tables.append(Table(key, case_name(inputs, scenario, dimension), columns, rows))
    return tables


def _cell(own: Mapping[Any, Any] | None) -> Cell:
    if own is None:
        return dash("the system predicts none of the fold’s test")
    if not own["n"]:
        return Cell("no labels")
    return score(own["mean"])._replace(detail=setting_text(own["setting"]))
