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
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.learning.prediction_file import ModelWriter
from pipeline.params import Postprocessing
from pipeline.scoring.chain import Chain, ChainGrid, Trace
from pipeline.scoring.chain_file import steps_path, write_chains
from pipeline.scoring.chain_search import ChainSearch, Keep
from pipeline.scoring.predictions import Model, PredictionsError, read_models

logger = logging.getLogger(__name__)


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


def fit_model(model: Model, grid: ChainGrid, keep: Keep = "dev") -> Chain:
    """Fit the chain of one model on its dev rows; keep: see `pipeline.params.Postprocessing`."""
    traces, gold = dev_traces(model)
    return fit_chain(traces, gold, grid, keep)


def dev_traces(model: Model) -> tuple[list[Trace], list[Trace]]:
    """Return predictions and gold standard of the dev recordings, sorted by name, (frames,) each."""
    dev = model.rows[model.rows["partition"] == "dev"]
    recordings = [rows for _, rows in dev.groupby("recording", sort=True)]
    columns = ("prediction", "gold")
    traces, gold = ([rows[name].to_numpy(np.float64) for rows in recordings] for name in columns)
    return traces, gold


def apply_chain(rows: pd.DataFrame, chain: Chain) -> pd.DataFrame:
    """Return the rows of a model with post-processed predictions, recording by recording."""
    if chain.steps == 0:
        return rows
    prediction = rows["prediction"].to_numpy(np.float64).copy()
    for positions in rows.groupby(["partition", "recording"], sort=False).indices.values():
        prediction[positions] = chain.apply(prediction[positions])
    return rows.assign(prediction=pd.Series(prediction, rows.index, rows["prediction"].dtype))


def fit_chain(traces: Sequence[Trace], gold: Sequence[Trace], grid: ChainGrid, keep: Keep = "dev") -> Chain:
    """Search the grid on the dev recordings.

    traces, gold: one array per recording, (frames,) each, in time order; gold may hold NaN. Without any
    gold standard, or where the CCC is undefined, the chain is the identity. keep leave_one_out: also where
    chains fitted without a recording do not help that recording, CCC over all left out recordings
    concatenated; with one recording there are no others.
    """
    if grid.empty or not traces:
        return Chain()
    chain, _ = ChainSearch.of(traces, gold, grid).fit(np.ones(len(traces), bool), keep)
    return chain if not np.isnan(chain.dev_before) else Chain()
