"""Prediction files <-> the rows of one model at a time.

A file holds one experiment (scenario x dimension) with the columns `COLUMNS` and, for classes,
`score_0 ... score_C-1`. A full RECOLA grid has tens of millions of rows, so files are read and
written model by model; the rows of a model (system, setting, seed) must lie together.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.catalogue.systems import SYSTEMS
from pipeline.learning.prediction_file import COLUMNS, KEY
from pipeline.learning.system import Variant, setting_values


class PredictionsError(ValueError):
    """Report a prediction file that does not keep the contract: file, what was found, what was expected."""


class Model(NamedTuple):
    """The predictions of one trained model, sorted by partition, recording and time."""

    variant: Variant
    rows: pd.DataFrame


def read_models(path: Path) -> Iterator[Model]:
    """Yield the models of a prediction file in the order of the file.

    Raises:
        PredictionsError: the file is missing, lacks a column, names an unknown system or no setting, or the
            rows of a model are not together.
    """
    finished: set[Variant] = set()
    held: list[pd.DataFrame] = []
    with _opened(path) as file:
        for group in range(file.num_row_groups):
            frame = file.read_row_group(group).to_pandas()
            _require_variants(path, frame)
            for _, part in frame.groupby(list(KEY), sort=False):
                if held and not _same_model(held[0], part):
                    yield _model(path, held, finished)
                    held = []
                held.append(part)
    if held:
        yield _model(path, held, finished)


def scored_recordings(path: Path) -> dict[tuple[str, str], frozenset[str]]:
    """Return (system, partition) -> the recordings with gold standard that any of its models predicts.

    Raises:
        PredictionsError: the file is missing or lacks a column.
    """
    found: dict[tuple[str, str], set[str]] = {}
    by = ["system", "partition", "recording"]
    with _opened(path) as file:
        for group in range(file.num_row_groups):
            rows = file.read_row_group(group, columns=[*by, "gold"])
            known = pc.invert(pc.is_null(rows["gold"], nan_is_null=True))
            for row in rows.filter(known).group_by(by).aggregate([]).to_pylist():
                found.setdefault((row["system"], row["partition"]), set()).add(row["recording"])
    return {key: frozenset(names) for key, names in found.items()}


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a prediction file, which has to be there with its columns."""
    if not path.is_file():
        raise PredictionsError(f"{path}: no such file; run `dvc repro`")
    with pq.ParquetFile(path) as file:
        missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
        if missing:
            raise PredictionsError(f"{path}: no columns {missing}, expected {list(COLUMNS)}")
        yield file


def _same_model(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return bool((one[list(KEY)].iloc[0] == other[list(KEY)].iloc[0]).all())


def _model(path: Path, parts: list[pd.DataFrame], finished: set[Variant]) -> Model:
    rows = parts[0] if len(parts) == 1 else pd.concat(parts)
    rows = rows.sort_values(["partition", "recording", "time"], kind="stable", ignore_index=True)
    system, setting, seed = (rows[name].iloc[0] for name in KEY)
    variant = Variant(str(system), str(setting), int(seed))
    if variant in finished:
        raise PredictionsError(f"{path}: rows of model {variant.name} are not together")
    finished.add(variant)
    return Model(variant, rows)


def _require_variants(path: Path, frame: pd.DataFrame) -> None:
    """Refuse rows that do not say of which model they are."""
    unknown = [name for name in frame["system"].unique() if name not in SYSTEMS]
    if unknown:
        raise PredictionsError(f"{path}: rows of the system {unknown[0]!r}, expected one of {list(SYSTEMS)}")
    for setting in frame["setting"].unique():
        if not isinstance(setting, str):
            raise PredictionsError(f"{path}: rows without a setting; expected text, which may be empty")
        try:
            setting_values(setting)
        except ValueError as error:
            raise PredictionsError(f"{path}: {error}") from None
