"""An own corpus of two feature tables, run through the stages' own functions, without media or DVC."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.params import Corpus, load_params
from pipeline.paths import Paths
from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.report import report
from stages.running import Context
from stages.train import train
from tests.parameters import write_parameters

ROWS = Sequence[Mapping[str, Any]]
TABLE: dict[str, Any] = {"statistics": [], "max_failed_share": 0.0}


@dataclass(frozen=True)
class OwnTables:
    """A checkout in a folder with the corpus `own`: recordings.csv, text.csv, bio.csv[, traces.csv]."""

    root: Path
    like: str = "own"
    change: Callable[[dict[str, Any]], None] = lambda own: None

    @property
    def paths(self) -> Paths:
        return Paths("own", self.root)

    @property
    def data(self) -> Path:
        folder = self.root / "data/raw/own"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def context(self) -> Context:
        def change(params: dict[str, Any]) -> None:
            # a copy, or that corpus would have this one's root too, and be drawn there
            own = copy.deepcopy(params["corpora"][self.like])
            own |= {
                "layout": "table",
                "root": str(self.data),
                "extract": [],
                "scenarios": ["text+bio", "bio+text"],
                "features": {name: TABLE | {"path": f"{name}.csv"} for name in ("text", "bio")},
            }
            own["learning"]["network"]["hidden"] = 8
            own["learning"]["seeds"] = [1]
            self.change(own)
            params["corpora"]["own"] = own
            params["runtime"]["workers"] = 1

        return Context("own", load_params(write_parameters(self.root, change)), self.paths, self.root)

    @property
    def corpus(self) -> Corpus:
        return self.context().corpus

    def write(self, recordings: ROWS, tables: Mapping[str, ROWS], traces: ROWS = ()) -> None:
        """Write the files; tables: rows of text and bio, or of one of them."""
        pd.DataFrame(recordings).to_csv(self.data / "recordings.csv", index=False)
        for name, rows in tables.items():
            pd.DataFrame(rows).to_csv(self.data / f"{name}.csv", index=False)
        if traces:
            pd.DataFrame(traces).to_csv(self.data / "traces.csv", index=False)

    def run(self, *stages: Callable[[Context], None]) -> None:
        """Run stages, all without any named."""
        context = self.context()
        for stage in stages or (register, read_features, align_labels, train, postprocess, evaluate, report):
            logging.getLogger("tests").info("%s", stage.__name__)
            stage(context)

    def labels(self) -> pd.DataFrame:
        return pd.read_parquet(self.paths.label_table)

    def results(self) -> pd.DataFrame:
        return pd.read_csv(self.paths.results)


def clips(emotions: Sequence[str], parts: Sequence[str], noise: float = 0.05) -> tuple[ROWS, dict[str, ROWS]]:
    """Return rows of recordings.csv and of two tables in which classes lie far apart.

    emotions, parts: class (or empty) and partition of each recording; each has a speaker of its own.
    """
    rng = np.random.default_rng(0)
    names = sorted({emotion for emotion in emotions if emotion})
    recordings = [
        {"recording": f"r{k:02d}", "partition": part, "speaker": f"s{k:02d}", "emotion": emotion}
        for k, (emotion, part) in enumerate(zip(emotions, parts, strict=True))
    ]
    tables = {}
    for table in ("text", "bio"):
        tables[table] = [
            {"recording": row["recording"]}
            | {
                f"{table}_{name}": (3.0 if row["emotion"] == name else -3.0) + noise * rng.normal()
                for name in names
            }
            for row in recordings
        ]
    return recordings, tables
