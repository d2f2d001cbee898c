"""A checkout with two small tables, a model and their units, without running anything."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import numpy as np
import yaml

from pipeline.store.adopt import adopt
from pipeline.store.packing import Unit
from pipeline.store.rows import Rows, to_bytes
from pipeline.store.tables import write_table
from pipeline.store.units import UnitStore
from tests.parameters import write_parameters

DAY = 86_400


def key(number: int) -> str:
    return f"{number:02x}" * 32


def make_rows(number: int) -> Rows:
    values = np.full((2, 2), number, np.float32)
    return Rows(np.arange(2.0), np.arange(2.0) + 1, values, np.ones(2, bool), ("a", "b"))


def make_checkout(root: Path) -> UnitStore:
    """Put three audio units in use, one stale one of 40 days, one stale one of today, one model in use."""
    write_parameters(root)
    store = UnitStore(root / ".emobed/store")
    units = [Unit(f"r{i}", key(i)) for i in range(3)]
    for number in range(5):
        store.put("audio", key(number), to_bytes(make_rows(number)))
    old = time.time() - 40 * DAY
    for number in (0, 3):
        os.utime(store.path("audio", key(number)), (old, old))
    directory = root / "data/features/demo_sessions/audio"
    directory.parent.mkdir(parents=True)
    write_table(directory, units, lambda unit: make_rows(int(unit.recording[1:])), [], {})
    adopt(directory, store, "audio")
    store.put("models", key(9), b"model")
    os.utime(store.path("models", key(9)), (old, old))
    models = root / "data/models/demo_sessions/audio+video.arousal"
    models.mkdir(parents=True)
    (models / "units.json").write_text(json.dumps([key(9)]))
    return store


def set_params(root: Path, change) -> None:
    params = yaml.safe_load((root / "params.yaml").read_text())
    change(params)
    (root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
