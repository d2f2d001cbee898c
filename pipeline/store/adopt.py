"""Feature tables that were pulled -> units of the local store.

DVC removes a stage's outs before it runs. A colleague who holds none of the media would lose the
pulled rows with them; `register`, which runs first, takes them into the store. It also keeps the
table's files aside (`kept_tables.py`), so that those that do not change need not be written anew.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pipeline.paths import Paths
from pipeline.store.damage import NO_DAMAGE, Damage
from pipeline.store.kept_tables import keep_table
from pipeline.store.partial import clear_partial
from pipeline.store.table_index import read_index
from pipeline.store.units import UnitStore


def adopt_tables(paths: Paths, store: UnitStore) -> None:
    """Copy the rows of all feature tables of a corpus into the store, as far as they are not there.

    What killed stages left half written is removed.

    Raises:
        TableError: a file of a table is damaged.
        StoreError: the store cannot be written.
    """
    for folder in (paths.audio.parent, paths.given):
        clear_partial(folder)
    for table in paths.extracted_tables:
        adopt(table, store, table.name)
    for index in sorted(paths.given.glob("*/index.json")):
        adopt(index.parent, store, paths.given.name)


def adopt(directory: Path, store: UnitStore, kind: str) -> int:
    """Copy the rows of a feature table into the store, as far as they are not there.

    Returns how many units were taken over. Without a table in `directory` there is nothing to do.

    Raises:
        TableError: a file of the table is damaged.
        StoreError: the store cannot be written.
    """
    if not (directory / "index.json").is_file():
        return 0
    index = read_index(directory)
    held = store.keys(kind)
    missing = [name for name, entry in index["recordings"].items() if entry["key"] not in held]
    if missing:
        # imported here: a `dvc repro` with nothing to do should not wait for pyarrow
        from pipeline.store.rows import to_bytes
        from pipeline.store.tables import FeatureTable

        table = FeatureTable.open(directory)
        for name in table.in_file_order(missing):
            damage = Damage(*index["recordings"][name].get("damage", NO_DAMAGE))
            store.put(kind, table.key(name), to_bytes(replace(table.read(name), damage=damage)))
    # of tables that came with the corpus: which recordings their files hold (table_features.py)
    for key, found in index.get("about", {}).get("contents", {}).items():
        if key not in held:
            store.put(kind, key, json.dumps(found).encode())
    keep_table(store, directory)
    return len(missing)
