from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.learning.system import Variant
from pipeline.params import Postprocessing
from pipeline.scoring.averaged import average, dev_by_other_units
from pipeline.scoring.chain import Chain, ChainGrid
from pipeline.scoring.chain_file import read_chains, steps_path, write_chains
from pipeline.scoring.postprocessing import fit_chain, postprocess_experiment
from tests.scoring.made_up import clip_model, session_model, write_models


def test_the_mean_over_seeds_by_hand():
    seeds = [session_model(seed=seed, recordings=2, frames=30) for seed in (1, 2, 3)]
    found = average(pd.concat(seeds, ignore_index=True))
    assert len(found) == 2 * 2 * 30
    for row in found.sample(10, random_state=0).to_dict("records"):
        own = [
            rows.loc[(rows["recording"] == row["recording"]) & (rows["time"] == row["time"])].iloc[0]
            for rows in seeds
        ]
        assert row["prediction"] == pytest.approx(np.mean([float(part["prediction"]) for part in own]))
        assert row["gold"] == own[0]["gold"]


def test_the_class_is_that_of_the_highest_mean_not_the_most_frequent():
    seeds = [clip_model(seed=seed) for seed in (1, 2, 3)]
    for rows, scores in zip(seeds, ((0.9, 0.1), (0.4, 0.6), (0.4, 0.6)), strict=True):
        rows.loc[0, [f"score_{code}" for code in range(7)]] = [*scores, *[0.0] * 5]
        rows.loc[0, "prediction"] = int(scores[1] > scores[0])
    row = average(pd.concat(seeds)).iloc[0]
    assert row["prediction"] == 0
    assert row["score_0"] == pytest.approx((0.9 + 0.4 + 0.4) / 3)


@pytest.mark.parametrize("keep", ["dev", "leave_one_out"])
def test_a_unit_of_dev_gets_the_chain_of_the_others_alone(keep):
    """Against a loop that fits anew; of seed 2 the others keep no chain, by the rule that leaves out."""
    params = Postprocessing(median_windows=(0.6, 1.4), centring=True, scaling=True, shifts=(0.4,), keep=keep)
    grid = ChainGrid.from_params(params, 0.2)
    raw = pd.concat(
        [session_model(seed=seed, recordings=4, frames=30, gain=0.8, noise=0.3, lag=1) for seed in (1, 2)],
        ignore_index=True,
    )
    dev = raw[raw["partition"] == "dev"]
    units = {
        "dev_1": "a",
        "dev_2": "a",
        "dev_3": "b",
        "dev_4": "c",
        **{f"test_{i}": "d" for i in range(1, 5)},
    }
    found = dev_by_other_units(raw, units, params, 0.2)
    assert len(found) == len(dev)
    chains = set()
    for (seed, name), own in found.groupby(["seed", "recording"]):
        rows = dev[dev["seed"] == seed]
        others = [part for other, part in rows.groupby("recording") if units[other] != units[name]]
        columns = [[part[column].to_numpy(float) for part in others] for column in ("prediction", "gold")]
        chain = fit_chain(*columns, grid, keep)
        before = rows.loc[rows["recording"] == name, "prediction"].to_numpy(float)
        assert own["prediction"].to_numpy() == pytest.approx(chain.apply(before), abs=1e-9)
        chains.add((chain.median, chain.shift, chain.centring, chain.scaling))
    assert len(chains) > 1


def test_one_unit_has_its_own_chain_and_without_steps_nothing_changes():
    raw = session_model(recordings=1)
    params = Postprocessing(median_windows=(), centring=True, scaling=True, shifts=(), keep="dev")
    units = {"dev_1": "a", "test_1": "b"}
    found = dev_by_other_units(raw, units, params, 0.2)
    assert found["prediction"].mean() == pytest.approx(found["gold"].mean())
    none = params.model_copy(update={"centring": False, "scaling": False})
    pd.testing.assert_frame_equal(dev_by_other_units(raw, units, none, 0.2), raw[raw["partition"] == "dev"])


def test_chains_are_read_as_they_were_written(tmp_path):
    chains = [
        (Variant("emobed", "alpha=0.3 beta=0.1", 2), Chain(5, True, False, 3, 1.25, -0.5, 0.1, 0.2, 0.15)),
        (Variant("support_vectors", "", 1), Chain()),
    ]
    assert write_chains(tmp_path / "x.steps.csv", chains, 0.2) == 2
    found = read_chains(tmp_path / "x.steps.csv", 0.2)
    assert found[chains[0][0]] == chains[0][1]
    assert repr(found[chains[1][0]]) == repr(chains[1][1])  # NaN is not itself
    with pytest.raises(FileNotFoundError, match="stage postprocess"):
        read_chains(tmp_path / "y.steps.csv", 0.2)


def test_chains_of_a_run_make_its_final_predictions_from_its_raw_ones(tmp_path):
    raw, final = tmp_path / "raw.parquet", tmp_path / "final.parquet"
    params = Postprocessing(median_windows=(0.6, 1.0), centring=True, scaling=True, shifts=(0.4,), keep="dev")
    rows = session_model(recordings=3)
    write_models(raw, [rows])
    postprocess_experiment(raw, final, params, 0.2)
    (chain,) = read_chains(steps_path(final), 0.2).values()
    assert chain.steps > 1
    for name, own in pd.read_parquet(final).groupby("recording"):
        before = rows.loc[rows["recording"] == name, "prediction"].to_numpy(float)
        assert own["prediction"].to_numpy() == pytest.approx(chain.apply(before), abs=1e-6)
