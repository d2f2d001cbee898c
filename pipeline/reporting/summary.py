"""results.csv -> the main table as plain text, for the end of `make repro`."""

from __future__ import annotations

import pandas as pd

from pipeline.layout import Layout
from pipeline.params import Corpus
from pipeline.reporting.wording import METRIC_NAMES, SYSTEM_NAMES, spread
from pipeline.scoring.metrics import HEADLINE
from pipeline.scoring.predictions import SYSTEMS


def summary(layout: Layout, corpus: Corpus) -> str:
    """Return where the report of a corpus is and its headline scores, one line per system.

    Raises:
        FileNotFoundError: the pipeline has not run for this corpus.
    """
    lines = [f"{layout.corpus}: {layout.report}"]
    results = pd.read_csv(layout.results)
    metric, kind = HEADLINE[corpus.task], int(corpus.task == "regression")
    results = results[(results["metric"] == metric) & (results["postprocessed"] == kind)]
    if results.empty:
        return lines[0] + "\n  features only: nothing was trained"
    partition = "test" if (results.loc[results["partition"] == "test", "n"] > 0).any() else "dev"
    results = results[results["partition"] == partition]
    cases = list(dict.fromkeys(zip(results["target"], results["dimension"], strict=True)))
    cells = {
        (row["system"], row["target"], row["dimension"]): spread(row["mean"], row["std"])
        for row in results.to_dict("records")
    }
    seeds, n = int(results["seeds"].max()), int(results["n"].max())
    unit = "utterances" if corpus.grid.utterances else "frames"
    lines.append(f"  {METRIC_NAMES[metric]} on {partition}, mean ± std over {seeds} seeds, n = {n} {unit}")
    lines.append("  " + "".join(["used alone:".ljust(12), *(f"{t} → {d}".rjust(18) for t, d in cases)]))
    for system in SYSTEMS:
        row = [cells.get((system, *case), "–").rjust(18) for case in cases]
        lines.append("  " + SYSTEM_NAMES[system].ljust(12) + "".join(row))
    return "\n".join(lines)
