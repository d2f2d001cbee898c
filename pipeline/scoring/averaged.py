"""Predictions of a system's seeds -> what a recogniser gives out: their mean, and how much seeds differ.

Of traces the mean after post-processing, each seed by its own chain. Of dev, where chains were fitted, each
unit (recording, or speaker) can have the chain that the other units give, so that its errors are those of a
unit never seen.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.label_sets import codes_of
from pipeline.learning.prediction_file import THRESHOLD, class_codes, score_column
from pipeline.params import Postprocessing
from pipeline.scoring.chain import ChainGrid
from pipeline.scoring.chain_search import ChainSearch

ROW = ["partition", "recording", "time"]


def average(
    rows: pd.DataFrame, several: bool = False, above: float | NDArray[np.float64] = THRESHOLD
) -> pd.DataFrame:
    """Return the mean over seeds of one system and setting: `partition, recording, time, gold`, and values.

    rows: as from `pipeline.scoring.plot_sources.read_point`. Values: `prediction`, or for classes the columns
    of scores and in `prediction` the class with the highest mean, or with `several` the code of the set of
    those whose mean is `above` a threshold, one or (classes,). Sorted by partition, recording and time.
    """
    codes = class_codes(rows.columns)
    names = [score_column(code) for code in codes] or ["prediction"]
    wide = rows[names].astype(np.float64).groupby([rows[name] for name in ROW], sort=True).mean()
    gold = rows.groupby(ROW, sort=True)["gold"].first()
    if codes:
        means = wide[names].to_numpy()
        wide["prediction"] = codes_of(means > above) if several else means.argmax(axis=1)
    return wide.assign(gold=gold).reset_index()


def dev_by_other_units(
    raw: pd.DataFrame, units: Mapping[str, str], params: Postprocessing, hop: float | None
) -> pd.DataFrame:
    """Return the rows of dev, each unit post-processed by the chain that is fitted on all others.

    What is kept of a chain, too, is decided by the others (`pipeline.scoring.postprocessing`). raw: raw
    predictions of one system and setting, all seeds. units: recording -> unit. hop: seconds; None: of
    utterances, of which no chain changes anything. With a single unit it is the chain of all.
    """
    grid = ChainGrid.from_params(params, hop)
    dev = raw[raw["partition"] == "dev"]
    if grid.empty or not len(dev):
        return dev
    parts = []
    for _, rows in dev.groupby("seed", sort=True):
        own = [part for _, part in rows.groupby("recording", sort=True)]
        traces, gold = ([part[name].to_numpy(np.float64) for part in own] for name in ("prediction", "gold"))
        search = ChainSearch.of(traces, gold, grid)
        of_recording = np.array([units[str(part["recording"].iloc[0])] for part in own])
        for unit in np.unique(of_recording):
            others = of_recording != unit
            chain, _ = search.fit(others if others.any() else ~others, params.keep)
            for place in np.flatnonzero(of_recording == unit):
                parts.append(own[place].assign(prediction=chain.apply(traces[place])))
    return pd.concat(parts, ignore_index=True)
