"""The chosen models of every fold -> one set of test predictions per system, as sums per unit.

In a cross-validation by speaker everybody is tested exactly once, by models that never saw them. So the
predictions of all folds together are one test on the whole corpus; each fold contributes those of its own
point of a system. With one fold this is that fold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.scored_models import SCORED_PARTITIONS

Statistics = NDArray[np.float64]


@dataclass(frozen=True)
class Pooled:
    """sums: (system, partition) -> seed -> sums or confusion counts, (units, ...), seeds ascending.

    systems: in the order of the points. units: partition -> names of the units, in the order of `sums`.
    """

    systems: tuple[str, ...]
    sums: Mapping[tuple[str, str], dict[int, Statistics]]
    units: Mapping[str, tuple[str, ...]]


def pool(folds: Sequence[ScoredFold]) -> Pooled:
    """Pool the units of all folds; dev too, where each speaker is once as well.

    Folds without gold standard in a partition add no unit; a seed counts if every other fold has it.
    """
    systems = tuple(point.system for point in folds[0].points)
    units = {
        partition: tuple(name for fold in folds for name in fold.models.units.get(partition, ()))
        for partition in SCORED_PARTITIONS
    }
    sums = {}
    for system in systems:
        for partition in SCORED_PARTITIONS:
            parts = [_of_system(fold, system, partition) for fold in folds]
            parts = [part for part in parts if part]
            seeds = sorted(set.intersection(*map(set, parts))) if parts else []
            sums[system, partition] = {seed: np.concatenate([part[seed] for part in parts]) for seed in seeds}
    return Pooled(systems, sums, units)


def _of_system(fold: ScoredFold, system: str, partition: str) -> dict[int, Statistics]:
    for point in fold.points:
        if point.system == system:
            return fold.models.of_seeds(*point, partition)
    return {}
