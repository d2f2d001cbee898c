"""Raw traces of dev -> their sums by chains that were fitted without a unit, as `left_out` scores them.

A chain that was fitted on all of dev has seen the recording that it is applied to: its dev score is too good.
Where dev is all that has a gold standard, each of its units (a recording, or a speaker with several) gets
the chain of the others. Whether that chain is kept at all (`postprocessing.keep`) is decided by the others
too, each of them left out in turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.params import Postprocessing
from pipeline.scoring.chain import ChainGrid
from pipeline.scoring.chain_search import ChainSearch
from pipeline.scoring.postprocessing import dev_traces
from pipeline.scoring.predictions import Model, read_models
from pipeline.scoring.scored_models import ScoredModels


def with_refitted(models: ScoredModels, raw: Path, params: Postprocessing, hop: float | None) -> ScoredModels:
    """Add `refitted` to the scores of post-processed predictions; raw: the file that they were made from.

    hop: seconds, None for utterances. Nothing is added where nothing is tried, or dev has no gold standard.
    """
    grid = ChainGrid.from_params(params, hop)
    places = models.places.get("dev", {})
    if grid.empty or not places:
        return models
    units = models.unit_places("dev")
    found: dict[tuple[str, str, int], NDArray[np.float64]] = {}
    for model in read_models(raw):
        if (*model.variant, "dev") in models.sums:
            found[model.variant] = _of_model(model, grid, params, places, units)
    return replace(models, refitted=found)


def _of_model(
    model: Model, grid: ChainGrid, params: Postprocessing, places: Mapping[str, int], units: NDArray[np.int_]
) -> NDArray[np.float64]:
    """Return the sums of a model, (units, atoms, 6)."""
    dev = model.rows[model.rows["partition"] == "dev"]
    names = sorted(dev["recording"].unique())
    search = ChainSearch.of(*dev_traces(model), grid)
    atom = np.array([places.get(name, -1) for name in names])  # -1: without gold standard
    unit = np.where(atom < 0, -1, units[atom])
    found = np.zeros((units.max() + 1, len(units), 6))
    for place, own in enumerate(found):
        kept = (unit != place) & (unit >= 0)
        sums = search.fit(kept, params.keep)[1] if kept.any() else search.raw
        np.add.at(own, atom[atom >= 0], sums[atom >= 0])
    return found
