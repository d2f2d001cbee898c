"""Golden numbers computed now against those kept, and how they are kept."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

FOLDER = Path(__file__).parent / "numbers"
FLOOR = 1e-12
"""Least difference that counts: a column of zeros has no size of its own."""


class Numbers(NamedTuple):
    """One array of golden numbers, (rows, columns).

    tolerance: allowed difference, as a share of the largest magnitude in the column.
    """

    values: Any
    tolerance: float

    @property
    def table(self) -> list[list[float]]:
        """Return the numbers with seven digits, which float32 has."""
        array = np.asarray(self.values, np.float64)
        assert array.ndim == 2, f"expected (rows, columns), found {array.shape}"
        return [[float(f"{value:.7g}") for value in row] for row in array]


Computed = Mapping[str, "Numbers | str"]


@dataclass(frozen=True)
class Case:
    """The numbers of one VERSION. module: dotted. compute: folder to work in -> numbers. key: in VERSIONS."""

    module: str
    compute: Callable[[Path], Computed]
    key: str | None = None

    @property
    def name(self) -> str:
        """Return the module, and the key if it has several versions."""
        return self.module if self.key is None else f"{self.module}.{self.key}"

    @property
    def version(self) -> int:
        """Return the version that the code says."""
        module = importlib.import_module(self.module)
        return int(module.VERSION if self.key is None else module.VERSIONS[self.key])

    @property
    def path(self) -> Path:
        """Return where the numbers are kept."""
        return FOLDER / f"{self.name.removeprefix('pipeline.')}.json"


def moved(kept: Mapping[str, Any], computed: Computed) -> list[str]:
    """Say what differs beyond its tolerance, array by array."""
    sentences = []
    for name in sorted(kept.keys() | computed.keys()):
        if name not in computed or name not in kept:
            sentences.append(f"'{name}' is {'computed' if name in computed else 'kept'} only")
            continue
        new, old = computed[name], kept[name]
        if isinstance(new, str) or isinstance(old, str):
            if new != old:
                sentences.append(f"'{name}' was {old!r}, is {new!r}")
            continue
        sentence = _difference(np.array(old, np.float64), np.array(new.table, np.float64), new.tolerance)
        if sentence:
            sentences.append(f"'{name}' {sentence}")
    return sentences


def _difference(old: np.ndarray, new: np.ndarray, tolerance: float) -> str:
    """Describe the largest difference beyond the tolerance; empty if there is none."""
    if old.shape != new.shape:
        return f"had the shape {old.shape}, has {new.shape}"
    allowed = np.maximum(tolerance * np.nanmax(np.abs(old), axis=0, initial=0.0), FLOOR)
    beyond = np.abs(new - old) / allowed
    beyond[np.isnan(old) & np.isnan(new)] = 0.0
    beyond[np.isnan(old) != np.isnan(new)] = np.inf
    if not (beyond > 1).any():
        return ""
    row, column = np.unravel_index(beyond.argmax(), beyond.shape)
    return (
        f"row {row}, column {column} was {old[row, column]:g}, is {new[row, column]:g} "
        f"({(beyond > 1).sum()} of {beyond.size} numbers moved; allowed there: {allowed[column]:.1g})"
    )


def verdict(case: Case, computed: Computed) -> str:
    """Return what is wrong between code, VERSION and kept numbers, and what to do; empty if all is right."""
    write = f"`python -m tests.golden --write {case.name}`"
    if not case.path.is_file():
        return f"{case.name} has a VERSION and no golden numbers: run {write} and commit {case.path.name}"
    kept = json.loads(case.path.read_text(encoding="utf-8"))
    if kept["version"] != case.version:
        return (
            f"VERSION of {case.name} is {case.version} and its golden numbers are those of version "
            f"{kept['version']}: run {write}"
        )
    sentences = moved(kept["numbers"], computed)
    if sentences:
        return (
            f"numbers of {case.name} moved and its VERSION is still {case.version}: stores would go on "
            f"giving the old ones. Raise it and run {write}, or undo the change. " + "; ".join(sentences)
        )
    return ""


def write(case: Case, computed: Computed) -> str:
    """Keep the numbers computed under the code's VERSION; return what was done.

    Raises:
        ValueError: numbers moved, and the VERSION is the one that they are kept under.
    """
    arrays = {name: new if isinstance(new, str) else new.table for name, new in computed.items()}
    if case.path.is_file():
        kept = json.loads(case.path.read_text(encoding="utf-8"))
        if kept["version"] == case.version:
            both = computed.keys() & kept["numbers"].keys()
            sentences = moved({n: kept["numbers"][n] for n in both}, {n: computed[n] for n in both})
            if sentences:
                raise ValueError(
                    f"numbers of {case.name} moved and its VERSION is still {case.version}: raise it first. "
                    + "; ".join(sentences)
                )
            if both == computed.keys() == kept["numbers"].keys():
                return f"{case.name}: as it was"
            # those that are kept stay as they are, or small differences would add up
            arrays |= {name: kept["numbers"][name] for name in both}
    FOLDER.mkdir(exist_ok=True)
    case.path.write_text(_text(case.version, arrays), encoding="utf-8")
    return f"{case.name}: written for version {case.version}"


def _text(version: int, arrays: Mapping[str, Any]) -> str:
    """Return JSON with one line per row of numbers, for a readable diff."""
    parts = []
    for name, value in sorted(arrays.items()):
        rows = (
            json.dumps(value)
            if isinstance(value, str)
            else "[\n" + ",\n".join("   " + json.dumps(row) for row in value) + "\n  ]"
        )
        parts.append(f"  {json.dumps(name)}: {rows}")
    return '{\n "version": ' + str(version) + ',\n "numbers": {\n' + ",\n".join(parts) + "\n }\n}\n"
