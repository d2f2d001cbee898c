"""Models of all settings on dev -> scores of dev by settings that dev's other units and seeds chose.

Where test has no gold standard, dev both chooses a system's setting and scores it, and the best of many
settings is ahead for nothing. Here the models of seed s on unit u (a recording, or a speaker with several)
are those of the setting that is best on the OTHER units over the OTHER seeds; post-processed, each model on
unit u has the chain that was fitted on the other units, and so had the setting when it was chosen. The seed
is left out too, since a setting may owe its score to a lucky run, and that run would be lucky on unit u as
well: with the unit alone left out, most of the advantage remains where seeds differ more than units
(`benchmarks/false_alarms.py`).

Epochs that were chosen on dev (`best_dev_epoch`, `patience`) are not undone by this.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from pipeline.learning.system import setting_rank
from pipeline.scoring.intervals import Score
from pipeline.scoring.scored_models import ScoredModels

Statistics = NDArray[np.float64]


def chosen_by_others(statistics: Statistics, score: Score, units: NDArray[np.int_]) -> NDArray[np.int_]:
    """Return which setting the other units and seeds choose for each seed and unit, (seeds, rows).

    statistics: sums by setting, seed and row, (settings, seeds, rows, ...). units: of each row, (rows,), 0
    to U - 1. See `best_of_others`.
    """
    count = int(units.max(initial=-1)) + 1
    without = np.stack([statistics[:, :, units != unit].sum(2) for unit in range(count)], axis=2)
    return best_of_others(without if count > 1 else statistics.sum(2)[:, :, None], score)[:, units]


def best_of_others(without: Statistics, score: Score) -> NDArray[np.int_]:
    """Return which setting is the best for each seed and unit, (seeds, units).

    without: sums of all other units, by setting, seed and unit, (settings, seeds, units, ...). Among equals
    the first setting; with one unit or one seed that one chooses for itself in this respect. A score that is
    undefined chooses nothing.
    """
    others, seeds = score(without), without.shape[1]  # (settings, seeds, units)
    if seeds > 1:
        others = (others.sum(1, keepdims=True) - others) / (seeds - 1)
    return np.asarray(np.where(np.isnan(others), -np.inf, others).argmax(0))


def left_out(models: ScoredModels, system: str, score: Score) -> dict[int, Statistics]:
    """Return the sums of a system on dev per seed, (atoms, ...), each at the setting that the others chose.

    A seed counts if every setting has it. Nothing where dev has no gold standard.
    """
    settings = {key[1] for key in models.sums if (key[0], key[3]) == (system, "dev")}
    by_setting = [models.of_seeds(system, name, "dev") for name in sorted(settings, key=setting_rank)]
    seeds = sorted(set.intersection(*map(set, by_setting))) if by_setting else []
    if not seeds:
        return {}
    units = models.unit_places("dev")
    atoms, names = np.arange(len(units)), sorted(settings, key=setting_rank)
    if models.refitted:
        # (settings, seeds, units, atoms, ...): of every atom, by the chain of all units but one
        refitted = np.stack([[models.refitted[system, name, seed] for seed in seeds] for name in names])
        others = units != np.arange(refitted.shape[2])[:, None]
        without = np.einsum("ksuam,ua->ksum", refitted, others if len(others) > 1 else ~others)
        best = best_of_others(without, score)[:, units]
        statistics = refitted[:, :, units, atoms]
    else:
        statistics = np.stack([[own[seed] for seed in seeds] for own in by_setting])
        best = chosen_by_others(statistics, score, units)
    return {seed: statistics[best[place], place, atoms] for place, seed in enumerate(seeds)}


def settings_by_others(models: ScoredModels, system: str, score: Score) -> dict[str, str]:
    """Return the setting of a system that all other units of dev choose for each, mean over seeds, by unit.

    As the point of the report is chosen (`pipeline.scoring.selection.select`) but for the unit itself, and
    post-processed by the chains of the others. Among equals the first setting; a unit without others has the
    setting that it chooses itself. Nothing where dev has no gold standard.
    """
    names = sorted({key[1] for key in models.sums if (key[0], key[3]) == (system, "dev")}, key=setting_rank)
    by_setting = [models.of_seeds(system, name, "dev") for name in names]
    seeds = sorted(set.intersection(*map(set, by_setting))) if by_setting else []
    places = models.unit_places("dev") if seeds else np.zeros(0, int)
    if not len(places):
        return {}
    units = sorted({atom.unit for atom in models.atoms["dev"]})
    others = places != np.arange(len(units))[:, None]  # (units, atoms)
    others = others if len(units) > 1 else ~others
    if models.refitted:
        refitted = np.stack([[models.refitted[system, name, seed] for seed in seeds] for name in names])
        without = np.einsum("ksuam,ua->ksum", refitted, others)
    else:
        every = np.stack([[own[seed] for seed in seeds] for own in by_setting])
        without = np.stack([every[:, :, own].sum(2) for own in others], axis=2)
    means = score(without).mean(1)  # (settings, units)
    best = np.where(np.isnan(means), -np.inf, means).argmax(0)
    return {unit: names[place] for unit, place in zip(units, best, strict=True)}
