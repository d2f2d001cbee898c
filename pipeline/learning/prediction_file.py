"""Predictions of models -> a Parquet file, as trainings write it and post-processing writes it anew.

A file holds one experiment (scenario x dimension) with the columns `COLUMNS` and, for classes, one column of
scores per class (`score_column`). Prediction and gold standard of classes are their codes; where an utterance
may have several, the codes of their sets (`pipeline.corpora.label_sets`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

KEY = ("system", "setting", "seed")
COLUMNS = ("recording", "time", "partition", *KEY, "prediction", "gold")
SCORE = "score_"
THRESHOLD = 0.5
"""Above it a class is predicted, where an utterance may have several."""
PARQUET: Mapping[str, Any] = {"compression": "zstd", "compression_level": 3, "write_statistics": False}
"""Writer settings: fixed, so that same tables give same bytes."""


def score_column(code: int) -> str:
    """Return the name of the column with the scores of a class."""
    return f"{SCORE}{code}"


def logit_column(code: int) -> str:
    """Return the name of the column with the logits of a class, in the file of them beside models."""
    return f"logit_{code}"


def class_codes(columns: Iterable[str]) -> list[int]:
    """Return the codes 0 ... C-1 of the classes that have a column of scores."""
    return sorted(int(name.removeprefix(SCORE)) for name in columns if name.startswith(SCORE))


class ModelWriter:
    """Write models to a prediction file, one row group each; same models, same bytes.

    The file appears under its name when it is whole.
    """

    def __init__(self, path: Path) -> None:
        """Open `path` for writing; use as a context manager."""
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._writer: pq.ParquetWriter | None = None

    def __enter__(self) -> ModelWriter:
        """Make the directory."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def write(self, rows: pa.Table) -> None:
        """Append the rows of one model, in columns of the same types as those before."""
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._partial, rows.schema, **PARQUET)
        self._writer.write_table(rows.cast(self._writer.schema), row_group_size=max(1, rows.num_rows))

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        """Rename the finished file into place, or drop a half-written one."""
        if self._writer is not None:
            self._writer.close()
            if kind is None:
                self._partial.replace(self._path)
            else:
                self._partial.unlink()
