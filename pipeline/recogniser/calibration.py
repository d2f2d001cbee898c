"""scores/uncertainty.csv -> what calibrates the recogniser of one experiment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.params import Corpus, Scenario
from pipeline.paths import Paths
from pipeline.recogniser.description import Calibration


def tested_uncertainty(
    paths: Paths, scenario: Scenario, dimension: str, fold: str, system: str
) -> dict[str, Any]:
    """Return what the stage evaluate fitted on dev and tested: the row of a system; no text is "".

    Where an utterance may have several labels there is a row for each class: then the first one, and all of
    them under `by_class`.

    Raises:
        FileNotFoundError: evaluate has not run.
        ValueError: the table does not know the system.
    """
    if not paths.uncertainty.is_file():
        raise FileNotFoundError(f"{paths.uncertainty}: no such file; the stage evaluate writes it")
    table = pd.read_csv(paths.uncertainty, dtype={"fold": str}, keep_default_na=True).fillna(
        dict.fromkeys(("fold", "partition", "selection"), "")
    )
    wanted = {
        "target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension, "fold": fold,
        "system": system,
    }  # fmt: skip
    found = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)].to_dict("records")
    by_class = {"by_class": found} if "class" in table else {}
    if len(found) != 1 and not (found and by_class):
        raise ValueError(f"{paths.uncertainty}: {len(found)} rows of {wanted}, expected one")
    return {str(name): value for name, value in found[0].items()} | by_class


def calibration_of(row: Mapping[str, Any], corpus: Corpus) -> Calibration:
    """Return the temperature, lines, or the reach of intervals, of what `tested_uncertainty` returned."""
    if "by_class" in row:
        rows = row["by_class"]
        fitted = max(int(own["dev_utterances"]) for own in rows)
        return Calibration(
            lines=tuple((float(own["slope"]), float(own["offset"])) for own in rows),
            rule="likelihood" if fitted else "none", dev=fitted, unit="utterance",
        )  # fmt: skip
    if corpus.task == "classification":
        fitted = int(row["dev_utterances"])
        return Calibration(
            temperature=float(row["temperature"]), rule="likelihood" if fitted else "none", dev=fitted,
            unit="utterance",
        )  # fmt: skip
    reach = None if pd.isna(row["reach"]) else float(row["reach"])
    return Calibration(
        reach=reach, coverage=float(row["nominal"]), rule=row["rule"], dev=int(row["dev_units"]),
        unit=str(row["unit"]),
    )  # fmt: skip
