"""Scores over folds against naive means over the prediction files, and the tests over speakers."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pandas as pd
import pytest

from pipeline.paths import Paths, experiment_name
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import accuracy, ccc, f1_macro_pr
from pipeline.scoring.signs import sign_flip
from tests.scoring.made_up import write_corpus
from tests.scoring.test_evaluation import finish

FOLDS = ("fold1", "fold2", "fold3")


def crossed(corpus):
    partitions = corpus.partitions.model_copy(update={"method": "cross_validation", "folds": 3})
    grid = {"alpha": (0.0, 0.3, 1.0), "beta": (0.0, 0.3), "seeds": (1, 2, 3)}
    return corpus.model_copy(
        update={
            "partitions": partitions,
            "scenarios": corpus.scenarios[:1],
            "dimensions": corpus.dimensions[:1],
            "learning": corpus.learning.model_copy(update=grid),
        }
    )


def evaluated(folder, params, name, **options):
    corpus = crossed(params.corpus(name))
    paths = Paths(name, folder)
    finish(paths, corpus, write_corpus(paths, corpus, **options))
    return paths, corpus


@pytest.fixture(scope="module")
def sessions(tmp_path_factory, params):
    return evaluated(tmp_path_factory.mktemp("sessions"), params, "demo_sessions", frames=80)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, params):
    return evaluated(tmp_path_factory.mktemp("clips"), params, "demo_clips")


def at_point(table, point):
    return table[table["setting"] == point]


def naive(paths, corpus, system, metric, directory):
    """Return score[fold][seed], the chosen point and the test rows of each fold, from the files alone."""
    scores, points, rows = {}, {}, {}
    for fold in FOLDS:
        name = experiment_name(corpus.scenarios[0].name, corpus.dimensions[0], fold)
        table = pd.read_parquet(directory / f"{name}.parquet")
        table = table[table["system"] == system]

        def by_seed(part):
            return {seed: metric(own["prediction"], own["gold"]) for seed, own in part.groupby("seed")}

        dev = {
            key: np.mean(list(by_seed(part).values()))
            for key, part in table[table["partition"] == "dev"].groupby("setting")
        }
        points[fold] = max(dev, key=dev.get)
        here = at_point(table, points[fold])
        rows[fold] = here[here["partition"] == "test"]
        scores[fold] = by_seed(rows[fold])
    return pd.DataFrame(scores), points, rows


def f1(prediction, gold):
    return f1_macro_pr(prediction, gold)


CASES = [("sessions", "ccc", ccc, 1), ("clips", "f1_macro_pr", f1, 0)]


@pytest.mark.parametrize(("which", "metric", "score", "kind"), CASES)
@pytest.mark.parametrize("system", ["classic", "emobed"])
def test_the_result_is_the_mean_over_folds_of_the_mean_over_seeds(
    request, which, metric, score, kind, system
):
    paths, corpus = request.getfixturevalue(which)
    expected, points, rows = naive(
        paths, corpus, system, score, paths.predictions if kind else paths.raw_predictions
    )
    wanted = "system == @system and metric == @metric and partition == 'test' and postprocessed == @kind"
    row = read_table(paths.results, "result").query(wanted).squeeze()
    assert row["mean"] == pytest.approx(expected.mean(axis=0).mean(), abs=1e-5)
    assert row["std"] == pytest.approx(expected.mean(axis=1).std(ddof=1), abs=1e-5)  # over seeds
    assert row["std_folds"] == pytest.approx(expected.mean(axis=0).std(ddof=1), abs=1e-5)
    assert (row["seeds"], row["folds"]) == (3, 3)
    assert row["n"] == sum(len(part) for part in rows.values()) / 3
    agreed = len(set(points.values())) == 1
    assert row["setting"] == (points[FOLDS[0]] if agreed else "by fold")
    single = read_table(paths.results, "folds").query(wanted).set_index("fold")
    assert list(single.index) == list(FOLDS)
    for fold in FOLDS:
        assert single.loc[fold, "mean"] == pytest.approx(expected[fold].mean(), abs=1e-5)
        assert single.loc[fold, "std"] == pytest.approx(expected[fold].std(ddof=1), abs=1e-5)
        assert single.loc[fold, "setting"] == points[fold]
    if kind == (corpus.task == "regression"):
        shown = json.loads(paths.metrics.read_text())["audio+video"][corpus.dimensions[0]]
        assert shown[system] == pytest.approx(row["mean"], abs=1e-5)


def test_folds_choose_for_themselves_and_the_grid_counts_them(sessions, clips):
    for paths, _ in (sessions, clips):
        grid = read_table(paths.grid_scores, "result")
        single = read_table(paths.grid_scores, "folds")
        keys = ["postprocessed", "system", "setting"]
        assert len(grid) * 3 == len(single)
        expected = single.groupby(keys)[["dev_mean", "test_mean"]].mean()
        found = grid.set_index(keys)[["dev_mean", "test_mean"]].loc[expected.index]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        chosen = single.groupby(keys)["selected"].sum()
        assert (grid.set_index(keys)["selected"].loc[chosen.index] == chosen).all()
        assert (grid.groupby(["postprocessed", "system"])["selected"].sum() == 3).all()
        best = single.loc[single.groupby(["postprocessed", "system", "fold"])["dev_mean"].idxmax()]
        assert (best["selected"] == 1).all()
    # The made-up grids are noise, so that folds do not agree everywhere.
    assert (grid["selected"].between(1, 2)).any()


@pytest.mark.parametrize(("which", "metric", "score", "kind"), CASES)
def test_differences_are_of_all_test_predictions_each_speaker_once(request, which, metric, score, kind):
    paths, corpus = request.getfixturevalue(which)
    directory = paths.predictions if kind else paths.raw_predictions
    table = read_table(paths.scores / "significance.csv", "result")
    row = table.query("system == 'emobed' and partition == 'test' and postprocessed == @kind").squeeze()
    pooled = {}
    for system in ("classic", "emobed"):
        _, _, rows = naive(paths, corpus, system, score, directory)
        pooled[system] = pd.concat(rows.values())
    means = {
        system: np.mean([score(own["prediction"], own["gold"]) for _, own in rows.groupby("seed")])
        for system, rows in pooled.items()
    }
    assert row["reference"] == pytest.approx(means["classic"], abs=1e-5)
    assert row["value"] == pytest.approx(means["emobed"], abs=1e-5)
    assert row["difference"] == pytest.approx(means["emobed"] - means["classic"], abs=1e-5)
    speakers = pooled["classic"]["recording"].str.split("/").str[0]
    assert row["units"] == row["n_speakers"] == speakers.nunique() == (9 if kind else 12)
    assert row["n"] == len(pooled["classic"]) / 3
    own = ccc if kind else accuracy
    per_speaker = {
        system: rows.assign(speaker=rows["recording"].str.split("/").str[0])
        .groupby(["speaker", "seed"])
        .apply(lambda part: own(part["prediction"], part["gold"]), include_groups=False)
        .groupby("speaker")
        .mean()
        for system, rows in pooled.items()
    }
    difference = (per_speaker["emobed"] - per_speaker["classic"]).to_numpy()
    assert row["speaker_metric"] == ("ccc" if kind else "accuracy")
    assert row["difference_speakers"] == pytest.approx(difference.mean(), abs=1e-5)
    assert row["p_speakers"] == pytest.approx(exact_sign_flip(difference), abs=1e-4)
    single = read_table(paths.scores / "significance.csv", "folds")
    assert set(single["fold"]) == set(FOLDS)
    assert set(single["units"]) == {3 if kind else 4}


def exact_sign_flip(differences) -> float:
    """Two-sided p by going through all signs."""
    observed = abs(np.mean(differences))
    signs = np.array(list(itertools.product([-1, 1], repeat=len(differences))))
    return float(np.mean(np.abs(signs @ differences) / len(differences) >= observed - 1e-12))


def test_sign_flip_by_hand():
    """Five gains: two of the 32 ways are as far from 0, p = 1/16; a tie halves nothing, a NaN is left out."""
    found = sign_flip([0.5, 0.6, 0.7, 0.8, 0.9], [0.1, 0.2, 0.4, 0.5, 0.8], 0)
    assert found.p == pytest.approx(1 / 16)
    assert found.difference == pytest.approx(0.3)
    with_nan = sign_flip([0.5, 0.6, 0.7, 0.8, 0.9, np.nan], [0.1, 0.2, 0.4, 0.5, 0.8, 0.3], 0)
    assert (with_nan.n, with_nan.p) == (5, pytest.approx(1 / 16))
    assert sign_flip([0.5, 0.5], [0.5, 0.5], 0).p == pytest.approx(1)
    assert np.isnan(sign_flip([0.5], [0.1], 0).p)
    assert np.isnan(sign_flip([], [], 0).difference)
    differences = np.random.default_rng(0).normal(0.5, 1, 9)
    assert sign_flip(differences, np.zeros(9), 0).p == pytest.approx(exact_sign_flip(differences))
    many = np.random.default_rng(1).normal(0.1, 1, 60)
    from scipy.stats import ttest_1samp

    assert sign_flip(many, np.zeros(60), 0).p == pytest.approx(ttest_1samp(many, 0).pvalue, abs=0.03)
    assert sign_flip(many, np.zeros(60), 0) == sign_flip(many, np.zeros(60), 0)


def test_plot_sources_over_folds(sessions, clips):
    paths, corpus = sessions
    curves = pd.read_csv(paths.scores / "curves/audio+video.arousal.csv")
    _, points, _ = naive(paths, corpus, "emobed", ccc, paths.predictions)
    parts = []
    for fold, point in points.items():
        table = pd.read_parquet(paths.models / f"audio+video.arousal.{fold}/curves.parquet")
        parts.append(at_point(table, point))
    expected = pd.concat(parts).groupby("epoch")["dev_score"].mean()
    np.testing.assert_allclose(curves["emobed"], expected, rtol=1e-5)
    assert len(pd.read_csv(paths.scores / "traces/audio+video.arousal.csv")) == 80
    confusion = pd.read_csv(clips[0].scores / "confusion/audio+video.emotion.csv")
    assert len(confusion) == 4 * 3 * 56


def test_a_fold_without_gold_on_test_is_left_out_and_counted(tmp_path, params):
    corpus = crossed(params.corpus("demo_sessions"))
    paths = Paths("demo_sessions", tmp_path)
    speakers = write_corpus(paths, corpus, frames=60)
    name = "audio+video.arousal.fold2.parquet"
    rows = pd.read_parquet(paths.raw_predictions / name)
    rows.loc[rows["partition"] == "test", "gold"] = np.nan
    rows.to_parquet(paths.raw_predictions / name, index=False)
    finish(paths, corpus, speakers)
    wanted = "system == 'joint' and metric == 'ccc' and partition == 'test' and postprocessed == 0"
    row = read_table(paths.results, "result").query(wanted).squeeze()
    single = read_table(paths.results, "folds").query(wanted).set_index("fold")["mean"]
    assert np.isnan(single["fold2"])
    assert row["mean"] == pytest.approx((single["fold1"] + single["fold3"]) / 2, abs=1e-5)
    assert (row["folds"], row["n"]) == (2, 2 * 180)
    assert set(
        read_table(paths.scores / "significance.csv", "result").query("partition == 'test'")["units"]
    ) == {6}


def test_a_fold_in_which_a_system_predicts_nothing_is_no_unit_of_it(tmp_path, params):
    """As of a system that needs all modalities, where one is missing for everybody a fold tests."""
    corpus = crossed(params.corpus("demo_clips"))
    paths = Paths("demo_clips", tmp_path)
    speakers = write_corpus(paths, corpus)
    experiment = experiment_name(corpus.scenarios[0].name, corpus.dimensions[0])
    for fold, partitions in (("fold1", ["dev", "test"]), ("fold3", ["test"])):
        path = paths.raw_predictions / f"{experiment}.{fold}.parquet"
        rows = pd.read_parquet(path)
        gone = (rows["system"] == "joint") & rows["partition"].isin(partitions)
        rows[~gone].to_parquet(path, index=False)
    finish(paths, corpus, speakers)
    headline = "metric == 'f1_macro_pr' and partition == 'test' and postprocessed == 0"
    results = read_table(paths.results, "result").query(headline).set_index("system")
    single = read_table(paths.results, "folds").query(headline).set_index(["system", "fold"])["mean"]
    assert results.loc["joint", "mean"] == pytest.approx(single["joint", "fold2"], abs=1e-5)
    assert list(results["folds"]) == [3, 1, 3, 3]
    rows = read_table(paths.scores / "significance.csv", "result").query("partition == 'test'")
    joint, emobed = (rows[rows["system"] == name].iloc[0] for name in ("joint", "emobed"))
    assert 3 * joint["units"] == emobed["units"]
    # of one fold: the score that a naive mean gives
    assert joint["value"] == pytest.approx(single["joint", "fold2"], abs=1e-5)
    assert joint["reference"] == pytest.approx(single["classic", "fold2"], abs=1e-5)
