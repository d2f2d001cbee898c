"""Our scores in the form of the paper's tables 1 to 3, beside those that it prints."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.catalogue.systems import SYSTEMS, label
from pipeline.params import Scenario
from pipeline.reporting.inputs import ReportInputs
from pipeline.reporting.published import END_TO_END, RIVALS, modalities, published
from pipeline.reporting.score_tables import headline, of_case
from pipeline.reporting.table import Cell, Column, Table, dash, score
from pipeline.reporting.wording import METRIC_NAMES

NONE = dash("the paper’s text has no figure")
VIDEO = ("video", "appearance", "geometric")
"""What features of pictures describe."""


def paper_tables(inputs: ReportInputs) -> list[Table]:
    """Return the tables of the paper that this corpus has figures for; none for any other corpus.

    avec2016: table 1 (audio) and 2 (video), a column for each dimension. omg: table 3, a column for each
    modality, on dev, as in the paper.
    """
    corpus = inputs.corpus
    if inputs.rendered or not any(
        published(corpus, s, d) for s in corpus.scenarios for d in corpus.dimensions
    ):
        return []
    if corpus.layout == "omg":
        columns = [(s, "emotion", modalities(corpus, s)[0]) for s in corpus.scenarios]
        return [
            _table(
                inputs,
                "paper-3",
                f"Table 3 of the paper: {METRIC_NAMES[inputs.metric]} on dev",
                columns,
                "dev",
            )
        ]
    tables = []
    for number, targets, name in ((1, ("audio",), "audio"), (2, VIDEO, "video")):
        scenarios = [s for s in corpus.scenarios if modalities(corpus, s)[0] in targets]
        columns = [(s, d, _column(inputs, s, d, number)) for s in scenarios for d in corpus.dimensions]
        if columns:
            caption = (
                f"Table {number} of the paper: {METRIC_NAMES[inputs.metric]} on {inputs.partition}, {name}"
            )
            tables.append(_table(inputs, f"paper-{number}", caption, columns, inputs.partition))
    return tables


def _column(inputs: ReportInputs, scenario: Scenario, dimension: str, number: int) -> str:
    """Name a column of tables 1 and 2: what differs between the scenarios, and the dimension."""
    target, *others = modalities(inputs.corpus, scenario)
    return f"{dimension} (with {' and '.join(others)})" if number == 1 else f"{dimension} ({target})"


def _table(
    inputs: ReportInputs, key: str, caption: str, columns: Sequence[tuple[Scenario, str, str]], partition: str
) -> Table:
    table = headline(inputs, inputs.results)
    table = table[table["partition"] == partition]
    theirs = [published(inputs.corpus, scenario, dimension) for scenario, dimension, _ in columns]
    ours: list[dict[str, float]] = [
        {str(row["system"]): row["mean"] for row in of_case(table, scenario, dimension).to_dict("records")}
        for scenario, dimension, _ in columns
    ]
    rows = []
    rivals = [_rival(inputs, scenario, dimension) for scenario, dimension, _ in columns]
    if any(rivals):
        here = dash("not trained here")
        cells = [cell for rival in rivals for cell in (Cell(rival) if rival else NONE, here)]
        rows.append([Cell(END_TO_END), *cells])
    for system in SYSTEMS:
        if any(system in own for own in theirs) or any(system in own for own in ours):
            row = [Cell(label(system))]
            for paper, own in zip(theirs, ours, strict=True):
                row.append(Cell(paper[system]) if system in paper else NONE)
                row.append(score(own.get(system, float("nan")), why="not trained here, or no labels"))
            rows.append(row)
    names = [Column(f"{name}, {whose}") for *_, name in columns for whose in ("paper", "here")]
    return Table(key, caption, [Column("system", False), *names], rows)


def _rival(inputs: ReportInputs, scenario: Scenario, dimension: str) -> str:
    target = modalities(inputs.corpus, scenario)[0]
    kind = "video" if target in VIDEO else target
    return RIVALS.get((inputs.corpus.layout, kind, dimension), "")
