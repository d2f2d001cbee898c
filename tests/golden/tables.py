"""Golden numbers of feature files that came with a corpus: read, and put on the grid.

Tolerance: decimal fractions through float64 sums, kept as float32.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.features.imported.arff_rows import read_arff
from pipeline.features.imported.given_rows import on_grid
from pipeline.features.imported.table_rows import open_table
from pipeline.params import Grid
from tests.corpora.official_layouts import feature_arff
from tests.golden.comparison import Numbers

EXACT = 1e-5
GRIDS = {"windows": Grid(window=0.8, hop=0.2), "utterance": Grid(window=None, hop=None)}


def numbers(folder: Path) -> dict[str, Numbers | str]:
    random = np.random.default_rng(0)
    values = np.round(random.standard_normal((40, 3)) * [1, 20, 0.05] + [0, 50, 1], 6)
    values[[3, 4, 11], [0, 0, 2]] = np.nan
    (folder / "avec.arff").write_bytes(feature_arff("r", ("a", "b", "c"), values))
    table = pd.DataFrame(values, columns=["a", "b", "c"])
    # a step that is no divisor of the hop, a late start, a hole of 0.6 s
    time = 0.18 + 0.07 * np.arange(40) + np.where(np.arange(40) > 25, 0.6, 0)
    table.insert(0, "time", np.round(time, 4))
    table.insert(0, "recording", "r")
    table.to_csv(folder / "times.csv", index=False)
    spans = table.rename(columns={"time": "start"})
    spans.insert(2, "end", spans["start"] + 0.05)
    spans.to_parquet(folder / "spans.parquet", index=False)

    files = {"avec.arff": read_arff(folder / "avec.arff")}
    for name in ("times.csv", "spans.parquet"):
        ((_, rows),) = ((recording, rows()) for recording, rows in open_table(folder / name).recordings())
        files[name] = rows
    found: dict[str, Numbers | str] = {}
    for name, rows in files.items():
        for place, grid in GRIDS.items():
            for statistics in ((), ("mean", "std")):
                if not statistics and grid.utterances:
                    continue  # one row per utterance is the file's own
                own = on_grid(rows, statistics, grid, name)
                what = f"{name}, {place}, {' '.join(statistics) or 'nearest'}"
                found[what] = Numbers(np.column_stack([own.values, own.start, own.end, own.valid]), EXACT)
                found[f"{what}: names"] = " ".join(own.names)
    return found
