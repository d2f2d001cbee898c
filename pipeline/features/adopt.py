"""Feature tables that were pulled -> units of the local store.

DVC removes a stage's outs before it runs. A colleague who holds none of the media would lose the
pulled rows with them; `register`, which runs first, takes them into the store. It also keeps the
table's files aside (`kept_tables.py`), so that those that do not change need not be written anew.
"""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.features.kept_tables import keep_table
from pipeline.features.store import UnitStore


def adopt(directory: Path, store: UnitStore, kind: str) -> int:
    """Copy the rows of a feature table into the store, as far as they are not there.

    Returns how many units were taken over. Without a table in `directory` there is nothing to do.

    Raises:
        TableError: a file of the table is damaged.
        StoreError: the store cannot be written.
    """
    try:
        index = json.loads((directory / "index.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return 0
    except ValueError:  # opening it says what is wrong and what to do
        index = {"recordings": {"": {"key": ""}}}
    held = store.keys(kind)
    missing = [name for name, entry in index["recordings"].items() if entry["key"] not in held]
    if missing:
        # imported here: a `dvc repro` with nothing to do should not wait for pyarrow
        from pipeline.features.rows import to_bytes
        from pipeline.features.tables import FeatureTable

        table = FeatureTable.open(directory)
        for name in table.in_file_order(missing):
            store.put(kind, table.key(name), to_bytes(table.read(name)))
    keep_table(store, directory)
    return len(missing)
