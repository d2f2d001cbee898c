from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.ndimage import median_filter

from pipeline.params import Postprocessing
from pipeline.scoring.chain import Chain, ChainGrid, median, shift
from pipeline.scoring.metrics import ccc
from pipeline.scoring.postprocessing import fit_chain, postprocess_experiment
from pipeline.scoring.predictions import PredictionsError
from tests.scoring.made_up import clip_model, session_model, smooth, write_models

PAPER = Postprocessing(
    median_windows=(0.12, 0.20, 0.28, 0.36, 0.44),
    centring=True,
    scaling=True,
    shifts=tuple(round(0.04 * k, 2) for k in range(1, 16)),
    keep="dev",
)
OFF = Postprocessing(median_windows=(), centring=False, scaling=False, shifts=())


def naive_search(traces, gold, grid):
    """The search as one would write it down: build every trace, score it, keep the best."""
    found = []
    everything = np.concatenate(gold)
    for window, frames in product((1, *grid.medians), (0, *grid.shifts)):
        filtered = [median_filter(p, size=window, mode="nearest") for p in traces]
        known = [~np.isnan(g) for g in gold]
        values = np.concatenate([p[k] for p, k in zip(filtered, known, strict=True)])
        truth = everything[~np.isnan(everything)]
        for centring, scaling in product({False, grid.centring}, {False, grid.scaling}):
            ratio = truth.std() / values.std() if scaling else 1.0
            mean = truth.mean() if centring else values.mean()
            lines = [(p - values.mean()) * ratio + mean for p in filtered]
            moved = [np.concatenate([np.full(frames, p[0]), p])[: len(p)] for p in lines]
            score = ccc(np.concatenate(moved), everything)
            steps = (window > 1) + centring + scaling + (frames > 0)
            found.append((round(-score, 9), steps, window, frames, centring, scaling))
    return min(found)


@pytest.mark.parametrize("case", range(6))
def test_the_fast_search_finds_what_the_naive_loop_finds(case):
    rng = np.random.default_rng(case)
    gold = [smooth(rng, int(frames)) for frames in rng.integers(120, 200, 4)]
    if case == 5:
        gold[1][20:60] = np.nan
        gold[3][:] = np.nan
    lag, noise, gain = [0, 3, 5, 14, 2, 4][case], [0.0, 0.1, 0.3, 0.05, 0.2, 0.1][case], rng.uniform(0.4, 1.4)
    traces = [
        gain * np.roll(np.nan_to_num(g), -lag) + noise * rng.normal(size=len(g)) + rng.normal() * 0.05
        for g in gold
    ]
    grid = ChainGrid.from_params(PAPER, 0.04)
    chain = fit_chain(traces, gold, grid)
    score, _, window, frames, centring, scaling = naive_search(traces, gold, grid)
    assert chain.dev_after == pytest.approx(-score, abs=1e-8)
    assert (chain.median, chain.shift, chain.centring, chain.scaling) == (window, frames, centring, scaling)
    applied = np.concatenate([chain.apply(p) for p in traces])
    assert ccc(applied, np.concatenate(gold)) == pytest.approx(chain.dev_after, abs=1e-9)
    assert chain.dev_before == pytest.approx(ccc(np.concatenate(traces), np.concatenate(gold)))


def test_every_kept_step_is_needed():
    model = session_model(noise=0.05, lag=2)
    dev = model[model["partition"] == "dev"]
    traces = [rows["prediction"].to_numpy(float) for _, rows in dev.groupby("recording")]
    gold = [rows["gold"].to_numpy(float) for _, rows in dev.groupby("recording")]
    full = ChainGrid((3, 5), True, True, (1, 2, 3))
    chain = fit_chain(traces, gold, full)
    assert chain.steps == 4
    for without in (
        ChainGrid((), True, True, full.shifts),
        ChainGrid(full.medians, False, True, full.shifts),
        ChainGrid(full.medians, True, False, full.shifts),
        ChainGrid(full.medians, True, True, ()),
    ):
        assert fit_chain(traces, gold, without).dev_after < chain.dev_after


def test_a_known_shift_is_found_and_moves_predictions_later():
    gold = smooth(np.random.default_rng(0), 300)
    early = gold[
        np.minimum(np.arange(300) + 4, 299)
    ]  # the prediction runs 4 frames ahead of the gold standard
    chain = fit_chain([early], [gold], ChainGrid((), False, False, tuple(range(1, 16))))
    assert chain.shift == 4
    late = gold[np.maximum(np.arange(300) - 4, 0)]  # nothing to gain by moving it later still
    assert fit_chain([late], [gold], ChainGrid((), False, False, tuple(range(1, 16)))).shift == 0


def test_steps_by_hand():
    trace = np.array([5.0, 1.0, 2.0, 9.0, 3.0])
    assert shift(trace, 2).tolist() == [5, 5, 5, 1, 2]
    assert shift(trace, 0).tolist() == trace.tolist()
    assert shift(trace, 9).tolist() == [5] * 5
    assert median(trace, 3).tolist() == [5, 2, 2, 3, 3]
    assert median(trace, 1).tolist() == trace.tolist()
    constant = np.full(7, 0.3)
    assert shift(median(constant, 5), 3).tolist() == constant.tolist()


def test_centring_and_scaling_give_dev_the_mean_and_deviation_of_the_gold_standard():
    rng = np.random.default_rng(3)
    gold = smooth(rng, 400) + 0.2
    chain = fit_chain([0.3 * gold - 0.5 + 0.01 * rng.normal(size=400)], [gold], ChainGrid((), True, True, ()))
    applied = chain.apply(0.3 * gold - 0.5)
    assert chain.centring
    assert chain.scaling
    assert applied.mean() == pytest.approx(gold.mean(), abs=2e-3)
    assert applied.std() == pytest.approx(gold.std(), rel=2e-2)


def test_without_gold_or_without_variation_the_chain_does_nothing_wrong():
    grid = ChainGrid((3,), True, True, (1,))
    trace = smooth(np.random.default_rng(0), 50)
    assert fit_chain([trace], [np.full(50, np.nan)], grid).steps == 0
    assert fit_chain([], [], grid).steps == 0
    constant = fit_chain([np.full(50, 0.3)], [trace], grid)
    assert np.allclose(constant.apply(np.full(50, 0.3)), constant.apply(np.full(50, 0.3))[0])
    assert fit_chain([trace], [np.full(50, 0.2)], grid).apply(trace).shape == (50,)


def test_seconds_become_the_papers_frames():
    grid = ChainGrid.from_params(PAPER, 0.04)
    assert grid.medians == (3, 5, 7, 9, 11)
    assert grid.shifts == tuple(range(1, 16))
    assert ChainGrid.from_params(PAPER, 0.2).medians == (3,)  # 0.36 and 0.44 s are two frames, made odd
    assert ChainGrid.from_params(PAPER, None).empty
    assert ChainGrid.from_params(OFF, 0.04).empty


@pytest.fixture
def models():
    return [
        session_model(alpha, beta, seed) for alpha in (0.0, 0.3) for beta in (0.0, 0.1) for seed in (1, 2)
    ]


def run(folder, models, params=PAPER, hop=0.2):
    raw, out = folder / "raw/audio+video.arousal.parquet", folder / "final/audio+video.arousal.parquet"
    write_models(raw, models)
    postprocess_experiment(raw, out, params, hop)
    return (
        pd.read_parquet(out),
        pd.read_csv(out.with_name("audio+video.arousal.steps.csv"), keep_default_na=False),
        out,
    )


def test_an_experiment_keeps_its_columns_and_rises_on_dev(tmp_path, models):
    final, steps, _ = run(tmp_path, models)
    raw = pd.concat(models, ignore_index=True)
    assert final.columns.tolist() == raw.columns.tolist()
    assert final.dtypes.tolist() == raw.dtypes.tolist()
    pd.testing.assert_frame_equal(final.drop(columns="prediction"), raw.drop(columns="prediction"))
    assert len(steps) == len(models)
    assert (steps["dev_ccc_after"] > steps["dev_ccc_before"]).all()
    for row in steps.itertuples():
        model = final.query(
            "system == @row.system and setting == @row.setting and seed == @row.seed and partition == 'dev'"
        )
        assert ccc(model["prediction"], model["gold"]) == pytest.approx(row.dev_ccc_after, abs=1e-6)


def test_test_gold_is_never_looked_at(tmp_path, models):
    final, steps, _ = run(tmp_path / "a", models)
    rng = np.random.default_rng(0)
    changed = [
        rows.assign(gold=np.where(rows["partition"] == "test", rng.normal(size=len(rows)), rows["gold"]))
        for rows in models
    ]
    other, other_steps, _ = run(tmp_path / "b", changed)
    pd.testing.assert_frame_equal(steps, other_steps)
    assert (final["prediction"] == other["prediction"]).all()


def test_recordings_do_not_leak_into_each_other(tmp_path):
    model = session_model()
    final, _, _ = run(tmp_path / "a", [model])
    disturbed = model.copy()
    disturbed.loc[disturbed["recording"] == "test_1", "prediction"] += 9
    other, _, _ = run(tmp_path / "b", [disturbed])
    rest = final["recording"] != "test_1"
    assert (final.loc[rest, "prediction"] == other.loc[rest, "prediction"]).all()


def test_same_input_same_bytes(tmp_path, models):
    *_, first = run(tmp_path / "a", models)
    *_, second = run(tmp_path / "b", models)
    assert first.read_bytes() == second.read_bytes()


def test_nothing_to_do_is_the_identity(tmp_path):
    final, steps, _ = run(tmp_path / "a", [session_model()], OFF)
    pd.testing.assert_frame_equal(final, session_model())
    assert steps[["median_window", "centring", "scaling", "shift"]].to_numpy().tolist() == [[0, 0, 0, 0]]
    clips = clip_model()
    final, _, _ = run(tmp_path / "b", [clips], PAPER, None)
    rows = clips.sort_values(["partition", "recording", "time"], kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(final, rows)


def test_a_file_without_rows_is_named(tmp_path):
    with pytest.raises(PredictionsError, match="no predictions; expected recordings in dev or test"):
        run(tmp_path, [session_model().head(0)])


def test_identity_is_the_default_chain():
    trace = np.arange(5.0)
    assert (Chain().apply(trace) == trace).all()
    assert Chain().steps == 0


def test_a_chain_is_applied_only_where_it_helps_recordings_that_did_not_fit_it():
    """Biases that nearly cancel: centring gains on the whole, and the mean of the others leads astray."""
    rng = np.random.default_rng(3)
    grid = ChainGrid.from_params(PAPER, 0.2)
    gold = [smooth(rng, 150) for _ in range(4)]
    steady = [0.5 * trace + 0.1 for trace in gold]
    found = fit_chain(steady, gold, grid, "leave_one_out")
    assert found.steps > 0
    by_hand = []
    for i in range(4):
        others = [k for k in range(4) if k != i]
        chain = fit_chain([steady[k] for k in others], [gold[k] for k in others], grid)
        by_hand.append(chain.apply(steady[i]))
    assert found.dev_left_out == pytest.approx(ccc(np.concatenate(by_hand), np.concatenate(gold)))
    biased = [trace + bias for trace, bias in zip(gold, (0.2, -0.2, 0.03, 0.01), strict=True)]
    centring = ChainGrid((), True, False, ())
    fitted = fit_chain(biased, gold, centring)
    assert fitted.centring
    dropped = fit_chain(biased, gold, centring, "leave_one_out")
    assert dropped.steps == 0
    assert dropped.dev_left_out < dropped.dev_before < fitted.dev_after
    alone = fit_chain(steady[:1], gold[:1], grid, "leave_one_out")
    assert alone.steps == 0
    assert np.isnan(alone.dev_left_out)
