"""Fitted chains <-> the table of steps beside a file of final predictions, windows and shifts in seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from pipeline.features.grid import seconds_to_frames
from pipeline.learning.system import Variant
from pipeline.scoring.chain import Chain

STEP_COLUMNS = (
    "system", "setting", "seed", "median_window", "centring", "scaling", "shift", "gain", "offset",
    "dev_ccc_before", "dev_ccc_after", "dev_ccc_left_out",
)  # fmt: skip


def steps_path(predictions: Path) -> Path:
    """Return where the chains of a file of final predictions are."""
    return predictions.with_name(f"{predictions.stem}.steps.csv")


def write_chains(path: Path, chains: Iterable[tuple[Variant, Chain]], hop: float | None) -> int:
    """Write one row per model and return how many; hop: seconds, None for utterances.

    Windows and shifts of 0 seconds are none.
    """
    seconds = hop or 0.0
    rows = [
        (
            *variant,
            round(chain.median * seconds, 9) if chain.median > 1 else 0.0,
            int(chain.centring), int(chain.scaling), round(chain.shift * seconds, 9),
            chain.gain, chain.offset, chain.dev_before, chain.dev_after, chain.dev_left_out,
        )
        for variant, chain in chains
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(STEP_COLUMNS))
    table.to_csv(path, index=False, float_format="%.9g", lineterminator="\n")
    return len(table)


def read_chains(path: Path, hop: float | None) -> dict[Variant, Chain]:
    """Read the chain of every model, in frames again; gain and offset have nine digits.

    Raises:
        FileNotFoundError: there is no such table; the stage postprocess writes it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; the stage postprocess writes it")
    table = pd.read_csv(path, dtype={"setting": str}, keep_default_na=False, na_values={
        name: [""] for name in STEP_COLUMNS[-3:]
    })  # fmt: skip
    return {
        Variant(str(row["system"]), str(row["setting"]), int(row["seed"])): Chain(
            seconds_to_frames(row["median_window"], hop) if hop and row["median_window"] else 1,
            bool(row["centring"]), bool(row["scaling"]),
            seconds_to_frames(row["shift"], hop) if hop else 0,
            float(row["gain"]), float(row["offset"]), float(row["dev_ccc_before"]),
            float(row["dev_ccc_after"]), float(row["dev_ccc_left_out"]),
        )
        for row in table.to_dict("records")
    }  # fmt: skip
