"""results.csv -> the main table as plain text, for the end of `make repro`."""

from __future__ import annotations

import pandas as pd

from pipeline.features.sources import emotion_trained
from pipeline.learning.systems.table import MARKED, any_marked, in_order, label
from pipeline.params import Corpus
from pipeline.paths import Paths
from pipeline.reporting.wording import METRIC_NAMES, listed, spread, target_name
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import HEADLINE

USED = "used alone"
WIDTH = 14
"""Of a column of scores, at least."""
MOST_COLUMNS = 6
"""Systems beside each other; more stand below each other."""


def summary(paths: Paths, corpus: Corpus) -> str:
    """Return where the report of a corpus is and its headline scores, one line per scenario and dimension.

    Raises:
        FileNotFoundError: the pipeline has not run for this corpus.
    """
    lines = [f"{paths.corpus}: {paths.report}"]
    results = read_table(paths.results, "result")
    metric, kind = HEADLINE[corpus.task], int(corpus.task == "regression")
    results = results[(results["metric"] == metric) & (results["postprocessed"] == kind)]
    if results.empty:
        return lines[0] + "\n  features only: nothing was trained"
    partition = "test" if (results.loc[results["partition"] == "test", "n"] > 0).any() else "dev"
    results = results[results["partition"] == partition]
    cells = {
        (row["system"], row["target"], row["auxiliary"], row["dimension"]): spread(row["mean"], row["std"])
        for row in results.to_dict("records")
    }
    keys = [(s.target, s.auxiliary, dimension) for s in corpus.scenarios for dimension in corpus.dimensions]
    cases = [f"{target_name(corpus, target, other)} → {dimension}" for target, other, dimension in keys]
    seeds, n, folds = (int(results[name].max()) for name in ("seeds", "n", "folds"))
    unit = "utterances" if corpus.grid.utterances else "frames"
    over = (
        f"mean over {folds} folds ± std over {seeds} seeds" if folds > 1 else f"mean ± std over {seeds} seeds"
    )
    lines.append(f"  {METRIC_NAMES[metric]} on {partition}, {over}, n = {n} {unit}")
    if corpus.learning.scaling.speaker == "centre":
        lines.append("  (features centred on each speaker, by recordings of the test speakers too)")
    if trained := emotion_trained(paths, corpus):
        lines.append(
            f"  (emotion-trained: a network trained on emotions made the features of {listed(trained)})"
        )
    if partition == "dev":
        lines.append("  (test has no gold standard; dev chose the weights, so these scores are too good)")
    shown = in_order(system for system, *_ in cells)
    if any_marked(shown):
        lines.append(f"  ({MARKED})")
    table = pd.DataFrame(
        [[cells.get((system, *key), "–") for system in shown] for key in keys],
        index=cases,
        columns=[label(system) for system in shown],
    )
    # the longer side downwards: a terminal is wide enough for the other
    return "\n".join([*lines, *_in_columns(table.T if len(shown) > MOST_COLUMNS else table)])


def _in_columns(table: pd.DataFrame) -> list[str]:
    """Return a table of text as lines; its corner says that the first modality is used alone."""
    first = max(len(name) for name in (USED, *table.index)) + 2
    widths = [max(WIDTH, len(name) + 2) for name in table.columns]
    rows = [(USED, list(table.columns)), *zip(table.index, table.to_numpy().tolist(), strict=True)]
    return [
        "  " + name.ljust(first) + "".join(cell.rjust(w) for cell, w in zip(cells, widths, strict=True))
        for name, cells in rows
    ]
