from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.learning.system import Variant
from pipeline.params import Postprocessing
from pipeline.scoring.averaged import average, dev_by_other_units, refitted
from pipeline.scoring.chain import Chain
from pipeline.scoring.chain_file import read_chains, steps_path, write_chains
from pipeline.scoring.moments import moments
from pipeline.scoring.postprocessing import postprocess_experiment
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


@pytest.mark.parametrize("steps", [(True, True), (True, False), (False, True)])
def test_a_unit_of_dev_gets_gain_and_offset_of_the_others_alone(steps):
    raw = session_model(seed=1, recordings=4, frames=80, lag=0)
    dev = raw[raw["partition"] == "dev"]
    chain = Chain(median=3, centring=steps[0], scaling=steps[1], shift=2, gain=1.7, offset=-0.3)
    units = {"dev_1": "a", "dev_2": "a", "dev_3": "b", "dev_4": "c"}
    found = dev_by_other_units(raw, {1: chain}, units)
    assert len(found) == len(dev)
    from scipy.ndimage import median_filter

    smooth = {
        name: median_filter(own["prediction"].to_numpy(float), size=3, mode="nearest")
        for name, own in dev.groupby("recording")
    }
    for name, own in found.groupby("recording"):
        others = [other for other in units if units[other] != units[name]]
        values = np.concatenate([smooth[other] for other in others])
        truth = dev.loc[dev["recording"].isin(others), "gold"].to_numpy()
        gain = truth.std() / values.std() if steps[1] else 1.0
        mean = truth.mean() if steps[0] else values.mean()
        line = (smooth[name] - values.mean()) * gain + mean
        expected = np.concatenate([[line[0]] * 2, line])[:80]
        assert own["prediction"].to_numpy() == pytest.approx(expected)


def test_chains_without_centring_and_scaling_stay_as_they_are():
    sums = moments(np.arange(5.0), np.arange(5.0) + 1)
    chain = Chain(median=5, shift=1)
    assert refitted(chain, sums) == chain
    moved = replace(chain, centring=True, offset=3.0)
    assert refitted(moved, sums).offset == pytest.approx(1.0)
    assert refitted(moved, np.zeros(6)) == moved
    constant = moments(np.ones(5), np.arange(5.0))
    assert refitted(replace(moved, scaling=True), constant).gain == 1.0


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
