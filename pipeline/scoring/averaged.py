"""Predictions of a system's seeds -> what a recogniser gives out: their mean, and how much seeds differ.

Of traces the mean after post-processing, each seed by its own chain. Of dev, where chains were fitted, each
unit (recording, or speaker) can have the gain and offset that the other units give, so that its errors are
those of a unit never seen; the window of the filter, the shift and which steps are kept stay as chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.corpora.label_sets import codes_of
from pipeline.learning.prediction_file import THRESHOLD, class_codes, score_column
from pipeline.scoring.chain import Chain, median
from pipeline.scoring.moments import affine_of_moments, moments

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
    raw: pd.DataFrame, chains: Mapping[int, Chain], units: Mapping[str, str]
) -> pd.DataFrame:
    """Return the rows of dev, post-processed by chains whose gain and offset the other units gave.

    raw: raw predictions of one system and setting, all seeds. chains: by seed, as fitted on all of dev.
    units: recording -> unit. With a single unit it is the chain as fitted.
    """
    parts = []
    dev = raw[raw["partition"] == "dev"]
    for seed, chain in sorted(chains.items()):
        rows = dev[dev["seed"] == seed]
        traces = {str(name): own for name, own in rows.groupby("recording", sort=True)}
        smooth = {
            name: median(own["prediction"].to_numpy(np.float64), chain.median) for name, own in traces.items()
        }
        sums = {name: moments(smooth[name], own["gold"].to_numpy()) for name, own in traces.items()}
        for name, own in traces.items():
            others = [sums[other] for other in traces if units[other] != units[name]]
            fitted = refitted(chain, np.sum(others, axis=0)) if others else chain
            parts.append(own.assign(prediction=fitted.apply(own["prediction"].to_numpy(np.float64))))
    return pd.concat(parts, ignore_index=True)


def refitted(chain: Chain, sums: NDArray[np.float64]) -> Chain:
    """Return a chain with the gain and offset that the six sums of filtered traces give.

    Without gold standard in them, or where nothing was centred or scaled, the chain as it is.
    """
    if not (chain.centring or chain.scaling) or sums[0] < 2:
        return chain
    gain, offset = affine_of_moments(sums, chain.centring, chain.scaling)
    return replace(chain, gain=gain, offset=offset)
