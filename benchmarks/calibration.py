"""How well certainty holds for speakers never seen, over all of a demo corpus instead of its few of test.

`python -m benchmarks.calibration demo_clips [SYSTEM]` (or demo_sessions; after `make repro`): the corpus'
speakers in five groups, each tested by systems that learnt from three others and were calibrated on one, as
`partitions.method: cross_validation` has it. Features and traces are those of the checkout; training, scores
and calibration are made anew in a folder that is deleted. Prints the rows of scores/uncertainty.csv: of
classes the calibration error, what chance alone makes of it, and the debiased one, of traces the coverage.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from pipeline.params import load_params
from pipeline.paths import Paths
from stages.running import Context

FOLDS = 5
"""Of 28 speakers: 16 or 17 to learn from, 5 or 6 for dev and for test, about as many as in the corpus."""
GIVEN = ("raw", "manifests", "features", "parameters")
STAGES = ("align_labels", "train", "postprocess", "evaluate")
SHOWN = {
    "classification": (
        "ece_before", "ece", "ece_low", "ece_high", "ece_by_chance", "debiased", "debiased_low",
        "debiased_high", "n", "units",
    ),
    "regression": (
        "reach", "coverage", "coverage_low", "coverage_high", "lowest", "width", "gold_width", "units",
    ),
}  # fmt: skip


def cross_validated(checkout: Path, folder: Path, corpus: str, system: str) -> pd.DataFrame:
    """Return scores/uncertainty.csv of a cross-validation; folder: in which it runs, empty."""
    labels = folder / "data/labels" / corpus
    labels.mkdir(parents=True)
    for name in GIVEN:
        (folder / "data" / name).symlink_to(checkout / "data" / name)
    (labels / "traces").symlink_to(checkout / "data/labels" / corpus / "traces")
    params: dict[str, Any] = yaml.safe_load((checkout / "params.yaml").read_text(encoding="utf-8"))
    params["run"]["corpora"] = [corpus]
    own = params["corpora"][corpus]
    own["partitions"] = own["partitions"] | {"method": "cross_validation", "folds": FOLDS}
    own["learning"]["systems"] = [system]
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf-8")
    with contextlib.chdir(folder):
        paths = Paths(corpus)
        context = Context(corpus, load_params(paths.params), paths, folder)
        for name in STAGES:
            stage: Callable[[Context], None] = getattr(import_module(f"stages.{name}"), name)
            stage(context)
        return pd.read_csv(paths.uncertainty, dtype={"fold": str}).fillna({"fold": ""})


def main(corpus: str, system: str = "support_vectors") -> None:
    """Print the table."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        table = cross_validated(Path.cwd(), Path(folder), corpus, system)
    task = "classification" if "ece" in table else "regression"
    columns = ["target", "dimension", "fold", *SHOWN[task]]
    print(table[columns].to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main(*sys.argv[1:])
