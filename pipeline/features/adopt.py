"""Feature tables that were pulled -> units of the local store.

DVC removes a stage's outs before it runs. A colleague who holds none of the media would lose the
pulled rows with them; `register`, which runs first, takes them into the store.
"""

from __future__ import annotations

import json
from pathlib import Path

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
    missing = [name for name, entry in index["recordings"].items() if not store.has(kind, str(entry["key"]))]
    if not missing:
        return 0
    # imported here: a `dvc repro` with nothing to do should not wait for pyarrow
    from pipeline.features.rows import to_bytes
    from pipeline.features.tables import FeatureTable

    table = FeatureTable.open(directory)
    for name in missing:
        store.put(kind, table.key(name), to_bytes(table.read(name)))
    return len(missing)
