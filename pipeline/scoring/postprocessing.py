"""Raw predictions -> post-processed predictions, by a chain fitted on dev and frozen for test.

Every combination of the four steps, each also switched off, is tried for each model on its own; the one
with the highest dev CCC (all dev recordings concatenated) wins, and among equals the one with the fewest
steps. So a step is kept only where dev CCC falls without it. The gold standard of test is never read.

A search that large raises dev CCC by itself. Unless the paper's rule is asked for (`keep: dev`), the chain is
applied only where CCC also rises when each dev recording gets the chain that was fitted on the others.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.learning.prediction_file import ModelWriter
from pipeline.params import Postprocessing
from pipeline.scoring.chain import Chain, ChainGrid, Trace, median
from pipeline.scoring.chain_file import steps_path, write_chains
from pipeline.scoring.metrics import ccc
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.predictions import Model, PredictionsError, read_models

logger = logging.getLogger(__name__)

RISE = 1e-9
"""Smallest difference in CCC that counts: below it is rounding."""


def postprocess_experiment(raw: Path, out: Path, params: Postprocessing, hop: float | None) -> None:
    """Write the post-processed predictions of one experiment and the fitted steps beside them.

    raw, out: prediction files (`pipeline.scoring.predictions`); the columns stay the same. The steps go to
    `<out without .parquet>.steps.csv` (`pipeline.scoring.chain_file`), one row per model. hop: seconds; None
    (one row per utterance) leaves every prediction as it is.

    Raises:
        PredictionsError: the raw file is missing, empty, or does not keep the contract.
    """
    grid = ChainGrid.from_params(params, hop)
    chains = []
    with ModelWriter(out) as writer:
        for model in read_models(raw):
            chain = fit_model(model, grid, params.keep)
            rows = pa.Table.from_pandas(apply_chain(model.rows, chain), preserve_index=False)
            writer.write(rows.replace_schema_metadata(None))
            chains.append((model.variant, chain))
    if not chains:
        raise PredictionsError(f"{raw}: no predictions; expected recordings in dev or test")
    logger.info("%s: %d models post-processed", out.stem, write_chains(steps_path(out), chains, hop))


def fit_model(model: Model, grid: ChainGrid, keep: Literal["leave_one_out", "dev"] = "dev") -> Chain:
    """Fit the chain of one model on its dev rows; keep: see `pipeline.params.Postprocessing`."""
    dev = model.rows[model.rows["partition"] == "dev"]
    recordings = [rows for _, rows in dev.groupby("recording", sort=True)]
    traces = [rows["prediction"].to_numpy(np.float64) for rows in recordings]
    gold = [rows["gold"].to_numpy(np.float64) for rows in recordings]
    chain = fit_chain(traces, gold, grid)
    return chain if keep == "dev" or chain.steps == 0 else kept_where_others_gain(chain, traces, gold, grid)


def kept_where_others_gain(
    chain: Chain, traces: Sequence[Trace], gold: Sequence[Trace], grid: ChainGrid
) -> Chain:
    """Return the chain, or the identity where chains fitted without a recording do not help that recording.

    CCC is over all left out recordings concatenated. With one recording there are no others: the identity.
    """
    left_out = float("nan")
    if len(traces) > 1:
        without = [
            fit_chain([*traces[:i], *traces[i + 1 :]], [*gold[:i], *gold[i + 1 :]], grid)
            for i in range(len(traces))
        ]
        moved = [own.apply(trace) for own, trace in zip(without, traces, strict=True)]
        left_out = ccc(np.concatenate(moved), np.concatenate(gold))
    if left_out > chain.dev_before + RISE:
        return replace(chain, dev_left_out=left_out)
    return Chain(dev_before=chain.dev_before, dev_after=chain.dev_before, dev_left_out=left_out)


def apply_chain(rows: pd.DataFrame, chain: Chain) -> pd.DataFrame:
    """Return the rows of a model with post-processed predictions, recording by recording."""
    if chain.steps == 0:
        return rows
    prediction = rows["prediction"].to_numpy(np.float64).copy()
    for positions in rows.groupby(["partition", "recording"], sort=False).indices.values():
        prediction[positions] = chain.apply(prediction[positions])
    return rows.assign(prediction=pd.Series(prediction, rows.index, rows["prediction"].dtype))


def fit_chain(traces: Sequence[Trace], gold: Sequence[Trace], grid: ChainGrid) -> Chain:
    """Search the grid on the dev recordings.

    traces, gold: one array per recording, (frames,) each, in time order; gold may hold NaN. Without any
    gold standard, or where the CCC is undefined, the chain is the identity.

    Moments before the shift are those of the filtered traces over all frames with gold standard. CCC
    after an affine step follows from six sums, so each of the windows is filtered once and each
    shift costs three sums: 75 points of window and shift take about as long as five filters.
    """
    if grid.empty or not traces:
        return Chain()
    before = ccc(np.concatenate(traces), np.concatenate(gold))
    if np.isnan(before):
        return Chain()
    known = _padded([(~np.isnan(g)).astype(float) for g in gold])  # (recordings, longest), 0 where unknown
    truth = _padded([np.nan_to_num(g) for g in gold])
    n, mean_g = known.sum(), float((truth * known).sum() / known.sum())
    truth = (truth - mean_g) * known  # centred: keeps the sums of squares accurate
    sum_gg = float(np.vdot(truth, truth))
    later = np.arange(truth.shape[1])
    chains = []
    for window in (1, *grid.medians):
        filtered = _padded([median(trace, window) for trace in traces])
        mean_p = float((filtered * known).sum() / n)
        filtered -= mean_p
        deviation = np.sqrt(np.vdot(filtered * known, filtered) / n)
        ratio = float(np.sqrt(sum_gg / n) / deviation) if deviation > 0 else 1.0
        for frames in (0, *grid.shifts):
            moved = filtered[:, np.maximum(later - frames, 0)]
            weighted = moved * known
            sums = np.array([n, weighted.sum(), 0.0, np.vdot(weighted, moved), sum_gg, np.vdot(moved, truth)])
            for centring, scaling in product({False, grid.centring}, {False, grid.scaling}):
                gain, mean = (ratio if scaling else 1.0), (mean_g if centring else mean_p)
                # Both sides are centred here: of the offset only the difference of the means is left.
                value = float(ccc_of_moments(sums, gain, mean - mean_g))
                offset = mean - gain * mean_p
                chains.append(Chain(window, centring, scaling, frames, gain, offset, before, value))
    chains = [chain for chain in chains if not np.isnan(chain.dev_after)]
    best = max(chain.dev_after for chain in chains)
    chains.sort(key=lambda chain: (chain.steps, chain.median, chain.shift, chain.centring))
    return next(chain for chain in chains if chain.dev_after >= best - RISE)


def _padded(arrays: Sequence[Trace]) -> Trace:
    """Stack arrays of different lengths, zeros behind: one index then shifts all recordings at once."""
    longest = max(map(len, arrays))
    return np.stack([np.pad(array, (0, longest - len(array))) for array in arrays])
