"""Header and tables of an audformat database, read so that nothing in them is run or fills the memory.

Only parquet and csv are read: audformat would prefer a pickle of the same table, and a pickle, like a
YAML file with Python's own tags, can run code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import audformat
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from pipeline.corpora.text_table import text_table

MOST_BYTES = 1 << 31
"""Of a table once unpacked, and of its values: one of labels is far smaller, and it is read whole."""


def read_header(path: Path) -> audformat.Database:
    """Return the header of a database, without its tables.

    Raises:
        ValueError: the file is none.
    """
    try:
        return audformat.Database.load_header_from_yaml(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not the header of an audformat database ({error})") from None


def loaded(header: audformat.Database, root: Path, table: str) -> pd.DataFrame:
    """Return a table's rows, read once.

    Raises:
        ValueError: it is on disk neither as parquet nor as csv, or cannot be read.
    """
    own = header[table]
    if own._df is None or not len(own._df):
        for suffix, read in (("parquet", own._load_parquet), ("csv", own._load_csv)):
            path = root / f"db.{table}.{suffix}"
            if path.is_file():
                _require_readable(path)
                try:
                    read(str(path))
                except (ValueError, KeyError, RuntimeError, TypeError) as error:
                    raise ValueError(f"{path}: cannot be read as table {table} ({error})") from None
                break
        else:
            raise ValueError(
                f"{root / f'db.{table}.parquet'}: no such file, nor a csv; a pickle (pkl) is not read, since "
                "it can run code: save the database with storage_format='parquet'"
            )
    return own._df


def _require_readable(path: Path) -> None:
    """Refuse a table that would fill the memory, or that is not text.

    Raises:
        ValueError: a Parquet file that asks for more than `MOST_BYTES`, or a csv that `text_table` refuses.
    """
    if path.suffix == ".csv":
        with text_table(path) as table:
            for _ in table:
                pass
        return
    try:
        about = pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path}: not a Parquet file ({error})") from None
    size = sum(about.row_group(place).total_byte_size for place in range(about.num_row_groups))
    cells = about.num_rows * about.num_columns
    if max(size, cells) > MOST_BYTES:
        raise ValueError(
            f"{path}: holds {about.num_rows} rows and {about.num_columns} columns in {size} bytes once "
            f"unpacked, expected at most {MOST_BYTES} bytes and values"
        )


def column_of(header: audformat.Database, table: str, wanted: str) -> str | None:
    """Return the column of a table with a name, or the one with a scheme of that name; None: neither.

    Raises:
        ValueError: several columns have the scheme.
    """
    columns = header.tables[table].columns
    if wanted in columns:
        return wanted
    found = [name for name, column in columns.items() if column.scheme_id == wanted]
    if len(found) > 1:
        raise ValueError(
            f"table {table} has {len(found)} columns of the scheme '{wanted}': {', '.join(found)}; "
            "name the column"
        )
    return found[0] if found else None


def describe(header: audformat.Database) -> str:
    """Return the tables with their splits and columns, in words."""
    return "; ".join(
        f"table {name}" + (f" (split {table.split_id})" if table.split_id else "")
        + " with the columns " + (", ".join(_column(*item) for item in table.columns.items()) or "none")
        for name, table in header.tables.items()
    )  # fmt: skip


def _column(name: str, column: Any) -> str:
    return name if column.scheme_id in (None, name) else f"{name} (scheme {column.scheme_id})"
