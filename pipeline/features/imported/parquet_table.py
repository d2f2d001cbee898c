"""A Parquet file of features -> its columns and blocks of rows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.corpora.text_table import MOST_COLUMNS
from pipeline.features.imported.csv_table import Opened
from pipeline.features.imported.table_columns import Choice, FeatureTableError, columns_of
from pipeline.location import Location, RemoteError
from pipeline.names import composed

BATCH_ROWS = 1024


def open_parquet(path: Location, choice: Choice) -> Opened:
    """Open a Parquet file.

    Raises:
        FeatureTableError: no Parquet file, a column of features holds no numbers, or `columns_of` refuses.
        OSError: the file cannot be read.
    """
    file: Any = path.open("rb")

    def explain(error: str) -> FeatureTableError:
        return FeatureTableError(f"{path}: {error}")

    try:
        table = _parquet_file(path, file)
        names = tuple(table.schema_arrow.names)
        columns = columns_of(path, tuple(composed(name.strip()) for name in names), choice)
        own = dict(zip((composed(name.strip()) for name in names), names, strict=True))
        for name in columns.numbers:
            kind = table.schema_arrow.field(own[name]).type
            if not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)):
                raise FeatureTableError(
                    f"{path}: column '{name}' holds {kind}, expected numbers; `exclude: [{name}]` under "
                    f"{choice.entry} leaves it out"
                )
    except BaseException:
        file.close()
        raise
    wanted = pa.schema([("recording", pa.string()), *((name, pa.float64()) for name in columns.numbers)])

    def blocks() -> Iterator[pa.RecordBatch]:
        for block in table.iter_batches(BATCH_ROWS, columns=[own[name] for name in wanted.names]):
            found = [block.column(block.schema.get_field_index(own[name])) for name in wanted.names]
            cast = [array.cast(field.type, safe=False) for array, field in zip(found, wanted, strict=True)]
            yield pa.record_batch(cast, schema=wanted)

    return Opened(columns, blocks(), file.close, explain)


def _parquet_file(path: Location, file: Any) -> pq.ParquetFile:
    try:
        table = pq.ParquetFile(file)
        if table.metadata.num_columns > MOST_COLUMNS:
            raise FeatureTableError(
                f"{path}: found {table.metadata.num_columns} columns, expected at most {MOST_COLUMNS}"
            )
        _ = table.schema_arrow
    except RemoteError:
        raise
    except (pa.ArrowException, OSError) as error:
        raise FeatureTableError(f"{path}: not a Parquet file ({error})") from None
    return table
