"""Models of all settings on dev -> scores of dev by settings that dev's other units and seeds chose.

Where test has no gold standard, dev both chooses a system's setting and scores it, and the best of many
settings is ahead for nothing. Here the models of seed s on unit u (a recording, or a speaker with several)
are those of the setting that is best on the OTHER units over the OTHER seeds. The seed is left out too,
since a setting may owe its score to a lucky run, and that run would be lucky on unit u as well: with the
unit alone left out, most of the advantage remains where seeds differ more than units
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
    to U - 1. Among equals the first setting; with one unit or one seed that one chooses for itself in this
    respect. A score that is undefined chooses nothing.
    """
    settings, seeds, rows = statistics.shape[:3]
    whole = np.zeros((settings, seeds, units.max(initial=-1) + 1, *statistics.shape[3:]))
    for row in range(rows):
        whole[:, :, units[row]] += statistics[:, :, row]
    total = whole.sum(2, keepdims=True)
    others = score(total - whole if whole.shape[2] > 1 else whole)  # (settings, seeds, units)
    if seeds > 1:
        others = (others.sum(1, keepdims=True) - others) / (seeds - 1)
    return np.asarray(np.where(np.isnan(others), -np.inf, others).argmax(0)[:, units])


def left_out(models: ScoredModels, system: str, score: Score) -> dict[int, Statistics]:
    """Return the sums of a system on dev per seed, (atoms, ...), each at the setting that the others chose.

    A seed counts if every setting has it. Nothing where dev has no gold standard.
    """
    settings = {key[1] for key in models.sums if (key[0], key[3]) == (system, "dev")}
    by_setting = [models.of_seeds(system, name, "dev") for name in sorted(settings, key=setting_rank)]
    seeds = sorted(set.intersection(*map(set, by_setting))) if by_setting else []
    if not seeds:
        return {}
    # (settings, seeds, atoms, ...)
    statistics = np.stack([[own[seed] for seed in seeds] for own in by_setting])
    _, units = np.unique([atom.unit for atom in models.atoms["dev"]], return_inverse=True)
    best = chosen_by_others(statistics, score, units)
    atoms = np.arange(statistics.shape[2])
    return {seed: statistics[best[place], place, atoms] for place, seed in enumerate(seeds)}
