"""data/certainty/<corpus>/certainty.csv -> how far certainty holds over all speakers, for page and card."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pipeline.catalogue.tasks import TASKS
from pipeline.params import Scenario, Task
from pipeline.paths import Paths

TEXTS = ("target", "auxiliary", "dimension", "why", "setting", "system", "fold", "partition", "selection")


def read_certainty(paths: Paths) -> pd.DataFrame:
    """Read the table; no text is "". Empty where the stage certainty has not run."""
    if not paths.certainty_table.is_file():
        return pd.DataFrame()
    table = pd.read_csv(paths.certainty_table, dtype=dict.fromkeys(TEXTS, str))
    return table.fillna(dict.fromkeys(TEXTS, ""))


def certainty_of(table: pd.DataFrame, scenario: Scenario, dimension: str) -> list[dict[str, Any]]:
    """Return the row of an experiment over all folds, one for each class where there may be several."""
    if table.empty:
        return []
    wanted = {"target": scenario.target, "auxiliary": scenario.auxiliary, "dimension": dimension, "fold": ""}
    found = table[(table[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    return records(found)


def uncalibrated_words(folds: int, task: Task) -> str:
    """Say what was measured in folds whose dev was too small to calibrate on; nothing where there is none.

    folds: with several labels those where at least one of them could not be calibrated.
    """
    if not folds:
        return ""
    where = f"In {folds} fold{'' if folds == 1 else 's'} dev was too small to calibrate"
    if not TASKS[task].classes:
        return f"{where} on: there is no interval, and whoever is tested there is not counted."
    if TASKS[task].several:
        return f"{where} one label or more on: the probabilities of these are tested there as they come."
    return f"{where} on: probabilities are tested there as they come."


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by the names of its columns."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]
