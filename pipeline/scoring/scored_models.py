"""A prediction file -> the scores of every model, and the sums per unit that intervals need.

Systems may cover different recordings: one that reads several modalities at use has no prediction where one
of them is missing. Systems are compared on the recordings that both predict, so sums are kept per atom: the
recordings of one unit that the same systems cover, and that are of the same groups where groups are asked
for. Where all cover the same, an atom is a unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.catalogue.tasks import TASKS
from pipeline.learning.prediction_file import KEY, class_codes
from pipeline.params import Task
from pipeline.scoring.predictions import Model, PredictionsError, read_models, scored_recordings
from pipeline.scoring.task_scores import TASK_SCORES

SCORED_PARTITIONS = ("dev", "test")
Statistics = NDArray[np.float64]
Groups = Mapping[str, Mapping[str, str]]
"""Column -> recording -> group, empty where it is not given."""
NO_GROUPS: Groups = MappingProxyType({})


class Atom(NamedTuple):
    """Recordings of one unit (speaker, or recording) that the same systems cover, and how many.

    groups: of which group all of them are, by each column that is asked for; empty where it is not given.
    """

    unit: str
    systems: frozenset[str]
    recordings: int
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScoredModels:
    """Everything evaluation needs of one prediction file.

    task: what is predicted. scores: system, setting, seed, partition, metric, value, n (rows with gold
    standard). sums: (system, setting, seed, partition) -> per atom six sums or counts (`TaskScores.sums`),
    (atoms, ...), zeros for atoms that the system does not cover. atoms: partition -> those with gold
    standard, in the order of `sums`. places: partition -> recording with gold standard -> its atom. refitted:
    of post-processed traces (system, setting, seed) -> the sums on dev by the chain fitted without a unit,
    (units, atoms, 6), units in the order of `unit_places`; empty if nothing is post-processed.
    """

    task: Task
    scores: pd.DataFrame
    sums: Mapping[tuple[str, str, int, str], Statistics]
    atoms: Mapping[str, tuple[Atom, ...]]
    places: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    refitted: Mapping[tuple[str, str, int], Statistics] = field(default_factory=dict)

    def unit_places(self, partition: str) -> NDArray[np.int_]:
        """Return the place of each atom's unit among the units of a partition, sorted by name, (atoms,)."""
        _, places = np.unique([atom.unit for atom in self.atoms[partition]], return_inverse=True)
        return np.asarray(places)

    def classes(self, partition: str) -> tuple[int, int] | None:
        """Return how many classes occur in the gold standard of a partition, and how many there are.

        None for a regression, and where there is no gold standard.
        """
        occurs = TASK_SCORES[self.task].occurs
        if occurs is None:
            return None
        shown = [occurs(counts) for key, counts in self.sums.items() if key[3] == partition]
        return (int(np.any(shown, axis=0).sum()), len(shown[0])) if shown else None

    def of_seeds(self, system: str, setting: str, partition: str) -> dict[int, Statistics]:
        """Return the sums of a system at a setting per seed, seeds ascending."""
        chosen = {
            key[2]: value
            for key, value in self.sums.items()
            if (key[0], key[1], key[3]) == (system, setting, partition)
        }
        return dict(sorted(chosen.items()))


def score_models(
    path: Path, task: Task, speakers: Mapping[str, str], groups: Groups = NO_GROUPS
) -> ScoredModels:
    """Score every model of a prediction file on dev and test.

    speakers: recording -> speaker; the units of intervals. A recording without a speaker (or with an
    empty name) is a unit of its own. groups: column -> recording -> group, by which atoms are told apart too.

    Raises:
        PredictionsError: see `pipeline.scoring.predictions.read_models`; or models of one system do not
            predict the same recordings.
        ValueError: a prediction is not finite where there is gold standard.
    """
    return score_rows(str(path), read_models(path), scored_recordings(path), task, speakers, groups)


def score_rows(
    path: str,
    models: Iterable[Model],
    covered: Mapping[tuple[str, str], frozenset[str]],
    task: Task,
    speakers: Mapping[str, str],
    groups: Groups = NO_GROUPS,
) -> ScoredModels:
    """Score models whose rows are at hand; path: begins the sentences of errors.

    covered: (system, partition) -> recordings with gold standard. Otherwise as `score_models`.

    Raises:
        PredictionsError: as `score_models`.
    """
    own, scores, sums = TASK_SCORES[task], [], {}
    atom_of, atoms = _atoms(covered, speakers, groups)
    for model in models:
        classes = class_codes(model.rows.columns)
        if TASKS[task].classes and not classes:
            raise PredictionsError(f"{path}: no columns score_0 ... score_C-1, which name the classes")
        for partition in SCORED_PARTITIONS:
            rows = model.rows[model.rows["partition"] == partition]
            if rows.empty:
                continue
            try:
                values = own.values(rows, classes)
            except ValueError as error:
                raise ValueError(f"{path}, {model.variant.name}, {partition}: {error}") from None
            known = rows[rows["gold"].notna()]
            scores += [
                (*model.variant, partition, metric, values[metric], len(known)) for metric in own.metrics
            ]
            if atoms.get(partition):
                place = known["recording"].map(atom_of[partition]).to_numpy()
                parts: dict[Any, pd.DataFrame] = dict(list(known.groupby(place, sort=True)))
                _require_all_recordings(path, model, atoms[partition], known, partition)
                empty = np.zeros(own.shape(len(classes)))
                sums[*model.variant, partition] = np.stack(
                    [
                        own.sums(parts[i], classes) if i in parts else empty
                        for i in range(len(atoms[partition]))
                    ]
                )
    columns = [*KEY, "partition", "metric", "value", "n"]
    return ScoredModels(task, pd.DataFrame(scores, columns=columns), sums, atoms, atom_of)


def _atoms(
    covered: Mapping[tuple[str, str], frozenset[str]], speakers: Mapping[str, str], groups: Groups
) -> tuple[dict[str, dict[str, int]], dict[str, tuple[Atom, ...]]]:
    """Return, per partition, recording -> place of its atom, and the atoms, sorted by unit.

    covered: (system, partition) -> recordings with gold standard.
    """
    places, atoms = {}, {}
    for partition in sorted({partition for _, partition in covered}):
        here = {system: names for (system, part), names in covered.items() if part == partition}
        keys = {
            name: (
                speakers.get(name) or name,
                tuple(sorted(system for system in here if name in here[system])),
                tuple(own.get(name, "") for own in groups.values()),
            )
            for name in sorted(frozenset().union(*here.values()))
        }
        counts = sorted(Counter(keys.values()).items())
        place = {key: i for i, (key, _) in enumerate(counts)}
        places[partition] = {name: place[key] for name, key in keys.items()}
        atoms[partition] = tuple(Atom(unit, frozenset(own), n, of) for (unit, own, of), n in counts)
    return places, atoms


def _require_all_recordings(
    path: str, model: Model, atoms: tuple[Atom, ...], known: pd.DataFrame, partition: str
) -> None:
    """Refuse a model that lacks recordings which other models of its system predict."""
    expected = sum(atom.recordings for atom in atoms if model.variant.system in atom.systems)
    found = known["recording"].nunique()
    if found < expected:
        raise PredictionsError(
            f"{path}, {model.variant.name}, {partition}: {found} recordings with gold standard, expected the "
            f"{expected} that other models of {model.variant.system} predict"
        )
