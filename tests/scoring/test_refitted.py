"""Dev by settings and chains of others, against a loop that leaves out and fits anew; about 4 s."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.params import Postprocessing
from pipeline.scoring.chain import ChainGrid
from pipeline.scoring.left_out import left_out
from pipeline.scoring.metrics import ccc
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.postprocessing import fit_chain, postprocess_experiment
from pipeline.scoring.refitted import with_refitted
from pipeline.scoring.scored_models import score_models
from tests.scoring.made_up import session_model, smooth, write_models

HOP = 0.2
SPEAKERS = {f"dev_{number + 1}": name for number, name in enumerate("aabcd")}


def params(keep):
    return Postprocessing(
        median_windows=(0.6, 1.4), centring=True, scaling=True, shifts=(0.2, 0.4, 0.8), keep=keep
    )


def scored(folder, models, keep):
    write_models(folder / "raw.parquet", models)
    postprocess_experiment(folder / "raw.parquet", folder / "final.parquet", params(keep), HOP)
    final = score_models(folder / "final.parquet", "regression", SPEAKERS)
    return final, with_refitted(final, folder / "raw.parquet", params(keep), HOP)


def traces(rows, kept):
    dev = rows[(rows["partition"] == "dev") & rows["recording"].isin(kept)]
    parts = [part for _, part in dev.groupby("recording", sort=True)]
    return tuple([part[name].to_numpy(float) for part in parts] for name in ("prediction", "gold"))


def by_hand(models, keep):
    """Return the mean over seeds of the CCC of dev, everything that is chosen being chosen by others."""
    grid, seeds = ChainGrid.from_params(params(keep), HOP), sorted({rows["seed"].iloc[0] for rows in models})
    by_model = {(rows["setting"].iloc[0], rows["seed"].iloc[0]): rows for rows in models}
    settings = sorted({setting for setting, _ in by_model})
    scores = []
    for seed in seeds:
        moved, truth = [], []
        for who in sorted(set(SPEAKERS.values())):
            own = [name for name in SPEAKERS if SPEAKERS[name] == who]
            others = [name for name in SPEAKERS if SPEAKERS[name] != who]
            chains, means = {}, {}
            for setting in settings:
                found = []
                for run in seeds:
                    p, g = traces(by_model[setting, run], others)
                    chains[setting, run] = chain = fit_chain(p, g, grid, keep)
                    if run != seed:
                        found.append(ccc(np.concatenate([chain.apply(x) for x in p]), np.concatenate(g)))
                means[setting] = np.mean(found)
            best = max(settings, key=lambda setting: means[setting])
            p, g = traces(by_model[best, seed], own)
            moved += [chains[best, seed].apply(x) for x in p]
            truth += g
        scores.append(ccc(np.concatenate(moved), np.concatenate(truth)))
    return np.mean(scores)


@pytest.mark.parametrize("keep", ["leave_one_out", "dev"])
def test_setting_and_chain_are_chosen_without_the_speaker_that_they_score(tmp_path, keep):
    models = [
        session_model(alpha, 0.1, seed, recordings=5, frames=60, noise=0.15, lag=lag, gain=gain)
        for alpha, lag, gain in ((0.1, 2, 0.5), (0.3, 1, 0.9), (0.5, 0, 1.2))
        for seed in (1, 2, 3)
    ]
    models[4].loc[models[4]["recording"] == "dev_3", "prediction"] += (
        0.3  # a model that is bad at one speaker
    )
    final, refitted = scored(tmp_path, models, keep)
    found = left_out(refitted, "emobed", ccc_of_moments)
    mean = np.mean([ccc_of_moments(sums.sum(0)) for sums in found.values()])
    assert mean == pytest.approx(by_hand(models, keep), abs=1e-6)
    seen = left_out(final, "emobed", ccc_of_moments)  # as if chains that have seen a speaker could score it
    assert np.mean([ccc_of_moments(sums.sum(0)) for sums in seen.values()]) != pytest.approx(mean, abs=1e-4)


def test_a_chain_gains_nothing_out_of_nothing(tmp_path):
    """Predictions that know nothing of the gold standard: its mean and spread are no merit of theirs."""
    with_chain, without = [], []
    for draw in range(30):
        models = []
        for seed in (1, 2):
            rows = session_model(0.3, 0.1, seed, recordings=5, frames=60)
            rng = np.random.default_rng([draw, seed])
            noise = [smooth(rng, 60) for _ in range(10)]
            models.append(rows.assign(prediction=np.concatenate(noise).astype(np.float32)))
        final, refitted = scored(tmp_path, models, "dev")
        for kind, kept in ((final, with_chain), (refitted, without)):
            sums = left_out(kind, "emobed", ccc_of_moments)
            kept.append(np.mean([ccc_of_moments(own.sum(0)) for own in sums.values()]))
    assert np.mean(with_chain) > np.mean(without) + 0.05
    assert np.mean(without) < 0.02
