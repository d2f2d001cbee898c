"""The chosen models of every fold -> one set of predictions per system, as sums per unit.

In a cross-validation by speaker everybody is tested exactly once, by models that never saw them. So the
predictions of all folds together are one test on the whole corpus; each fold contributes those of its own
point of a system. With one fold this is that fold.

Of dev the same, but left out: what a setting reaches on the very data that chose it says little, so each unit
of dev is scored at settings which the other units chose (`pipeline.scoring.left_out`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue.systems import in_order
from pipeline.scoring.folds import ScoredFold
from pipeline.scoring.intervals import Score
from pipeline.scoring.left_out import left_out
from pipeline.scoring.scored_models import SCORED_PARTITIONS, Atom

Statistics = NDArray[np.float64]


class OfGroup(NamedTuple):
    """Units of one group, their sums or confusion counts, (seeds, units, ...), and how many recordings."""

    units: list[str]
    sums: Statistics
    recordings: int


@dataclass(frozen=True)
class Pooled:
    """sums: (system, partition) -> seed -> sums or confusion counts, (atoms, ...), seeds ascending.

    systems: those of any fold, in the order of their table. atoms: partition -> whose sums these are, in
    their order.
    """

    systems: tuple[str, ...]
    sums: Mapping[tuple[str, str], dict[int, Statistics]]
    atoms: Mapping[str, tuple[Atom, ...]]

    def units(self, systems: Sequence[str], partition: str) -> list[str]:
        """Return the units of the recordings that all of `systems` predict, sorted."""
        return sorted({atom.unit for atom in self._shared(systems, partition)})

    def recordings(self, systems: Sequence[str], partition: str) -> int:
        """Count the recordings with gold standard that all of `systems` predict."""
        return sum(atom.recordings for atom in self._shared(systems, partition))

    def of(self, system: str, systems: Sequence[str], partition: str) -> dict[int, Statistics]:
        """Return the sums of a system per seed over what all of `systems` predict, (units, ...) each.

        Nothing where there is no such recording.
        """
        units = {name: place for place, name in enumerate(self.units(systems, partition))}
        places = np.array([units[atom.unit] for atom in self._shared(systems, partition)], dtype=int)
        kept = np.array([set(systems) <= atom.systems for atom in self.atoms[partition]], dtype=bool)
        found = {}
        for seed, sums in self.sums[system, partition].items() if units else ():
            whole = np.zeros((len(units), *sums.shape[1:]))
            np.add.at(whole, places, sums[kept])
            found[seed] = whole
        return found

    def groups(self, system: str, partition: str, column: int) -> list[str]:
        """Return the groups that the recordings of a system are of, sorted, by the place of their column."""
        return sorted({atom.groups[column] for atom in self._shared([system], partition)})

    def of_group(self, system: str, partition: str, column: int, group: str) -> OfGroup:
        """Return the sums of a system over the recordings of one group."""
        atoms = self.atoms[partition]
        kept = np.array([system in atom.systems and atom.groups[column] == group for atom in atoms], bool)
        own = [atom for atom, here in zip(atoms, kept, strict=True) if here]
        units = sorted({atom.unit for atom in own})
        places = np.array([units.index(atom.unit) for atom in own], dtype=int)
        by_seed = []
        for sums in self.sums[system, partition].values():
            whole = np.zeros((len(units), *sums.shape[1:]))
            np.add.at(whole, places, sums[kept])
            by_seed.append(whole)
        return OfGroup(units, np.stack(by_seed), sum(atom.recordings for atom in own))

    def _shared(self, systems: Sequence[str], partition: str) -> list[Atom]:
        return [atom for atom in self.atoms[partition] if set(systems) <= atom.systems]


def pool(folds: Sequence[ScoredFold], score: Score) -> Pooled:
    """Pool the units of all folds; dev too, where each speaker is once as well.

    Folds without gold standard in a partition add no unit; a seed counts if every other fold has it. score:
    the headline score of sums, by which settings are chosen where a unit of dev is left out.
    """
    systems = tuple(in_order(point.system for fold in folds for point in fold.points))
    atoms = {
        partition: tuple(atom for fold in folds for atom in fold.models.atoms.get(partition, ()))
        for partition in SCORED_PARTITIONS
    }
    sums = {}
    for system in systems:
        for partition in SCORED_PARTITIONS:
            of_fold = [_of_system(fold, system, partition, score) for fold in folds]
            found = [part for part in of_fold if part]
            seeds = sorted(set.intersection(*map(set, found))) if found else []
            counts = [len(fold.models.atoms.get(partition, ())) for fold in folds]
            sums[system, partition] = {seed: _stacked(of_fold, counts, seed) for seed in seeds}
    return Pooled(systems, sums, atoms)


def _stacked(parts: Sequence[Mapping[int, Statistics]], counts: Sequence[int], seed: int) -> Statistics:
    """Return the sums of a seed over all folds, zeros for the atoms of folds in which the system has none.

    counts: atoms of each fold.
    """
    shape = next(part[seed].shape[1:] for part in parts if part)
    return np.concatenate(
        [part[seed] if part else np.zeros((count, *shape)) for part, count in zip(parts, counts, strict=True)]
    )


def _of_system(fold: ScoredFold, system: str, partition: str, score: Score) -> dict[int, Statistics]:
    if partition == "dev":
        return left_out(fold.models, system, score)
    for point in fold.points:
        if point.system == system:
            return fold.models.of_seeds(*point, partition)
    return {}
