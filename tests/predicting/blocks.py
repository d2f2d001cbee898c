"""Rows of made-up files, for tables."""

from __future__ import annotations

import numpy as np

from pipeline.predicting.block import FLAG, NUMBER, TEXT, Block, Column


def block(file: str, rows: int = 3, first: float = 0.0, cells: dict[str, str] | None = None) -> Block:
    start = first + np.arange(rows) * 0.04
    value = np.linspace(-1, 1, rows, dtype=np.float32) / 3
    columns = {
        "arousal": Column(NUMBER, value),
        "arousal.seed_spread": Column(NUMBER, np.full(rows, np.nan)),
        "valid": Column(FLAG, np.arange(rows) % 2 == 0),
        "emotion": Column(TEXT, np.array(["joy", None, "no, never"] * rows, object)[:rows]),
    }
    return Block.indexed(file, start, start + 0.04, columns, {"id": "7"} if cells is None else cells)
