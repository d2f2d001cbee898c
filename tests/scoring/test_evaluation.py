from __future__ import annotations

import json
from itertools import product

import numpy as np
import pandas as pd
import pytest

from pipeline.paths import Paths, experiment_name
from pipeline.running.errors import place_of
from pipeline.running.workshop import Workshop
from pipeline.scoring.evaluation import RESULT_COLUMNS, evaluate, unit_name
from pipeline.scoring.folds import read_table
from pipeline.scoring.metrics import CLASSIFICATION_METRICS, REGRESSION_METRICS, ccc, f1_macro_pr
from pipeline.scoring.postprocessed_corpus import postprocess_corpus
from pipeline.scoring.postprocessing import postprocess_experiment
from pipeline.scoring.predictions import PredictionsError, read_models
from tests.scoring.made_up import clip_model, session_model, write_corpus, write_models


def evaluated(folder, params, name, scenarios=1, **options):
    corpus = params.corpus(name)
    corpus = corpus.model_copy(update={"scenarios": corpus.scenarios[:scenarios]})
    paths = Paths(name, folder)
    speakers = write_corpus(paths, corpus, **options)
    finish(paths, corpus, speakers)
    return paths, corpus


def finish(paths, corpus, speakers):
    for scenario, dimension, fold in product(corpus.scenarios, corpus.dimensions, corpus.partitions.names):
        file = f"{experiment_name(scenario.name, dimension, fold)}.parquet"
        postprocess_experiment(
            paths.raw_predictions / file, paths.predictions / file, corpus.postprocessing, corpus.grid.hop
        )
    evaluate(paths, corpus, speakers)


@pytest.fixture(scope="module")
def sessions(tmp_path_factory, params):
    return evaluated(tmp_path_factory.mktemp("sessions"), params, "demo_sessions", 2)


@pytest.fixture(scope="module")
def clips(tmp_path_factory, params):
    return evaluated(tmp_path_factory.mktemp("clips"), params, "demo_clips")


def test_results_have_the_contract_columns_and_all_rows(sessions, clips):
    table = pd.read_csv(sessions[0].results)
    assert tuple(table.columns) == RESULT_COLUMNS
    # 2 scenarios x 2 dimensions x 4 systems x raw and post-processed x dev and test x 4 metrics
    assert (table["selection"] == "dev").sum() == 2 * 2 * 4 * 2 * 2 * 4
    left_out = table[table["selection"] == "leave_one_out"]
    assert len(left_out) == 2 * 2 * 4 * 2
    assert set(zip(left_out["partition"], left_out["metric"], strict=True)) == {("dev", "ccc")}
    table = read_table(sessions[0].results, "result")
    assert set(table["metric"]) == set(REGRESSION_METRICS)
    assert set(table["postprocessed"]) == {0, 1}
    assert (table["seeds"] == 3).all()
    assert (table["n"] == 600).all()
    table = pd.read_csv(clips[0].results)
    assert tuple(table.columns) == RESULT_COLUMNS
    assert set(table["metric"]) == set(CLASSIFICATION_METRICS)
    assert set(table["dimension"]) == {"emotion"}


def test_results_equal_the_scores_of_the_prediction_files(sessions, clips):
    for (paths, corpus), metric in ((sessions, "ccc"), (clips, "f1_macro_pr")):
        table = pd.read_csv(paths.results)
        for postprocessed, directory in ((0, paths.raw_predictions), (1, paths.predictions)):
            name = experiment_name("audio+video", corpus.dimensions[0])
            rows = pd.read_parquet(directory / f"{name}.parquet")
            row = table[
                (table["target"] == "audio")
                & (table["dimension"] == corpus.dimensions[0])
                & (table["system"] == "emobed")
                & (table["metric"] == metric)
                & (table["partition"] == "test")
                & (table["postprocessed"] == postprocessed)
            ].squeeze()
            here = rows.query("system == 'emobed' and setting == @row.setting and partition == 'test'")
            here = here.groupby("seed")
            if metric == "ccc":
                values = [ccc(seed["prediction"], seed["gold"]) for _, seed in here]
            else:
                values = [f1_macro_pr(seed["prediction"], seed["gold"]) for _, seed in here]
            assert row["mean"] == pytest.approx(np.mean(values), abs=1e-5)
            assert row["std"] == pytest.approx(np.std(values, ddof=1), abs=1e-5)


def test_the_selected_point_is_the_best_on_dev(sessions):
    paths, _ = sessions
    grid = read_table(paths.grid_scores, "result")
    by = ["target", "dimension", "postprocessed", "system"]
    best = grid.loc[grid.groupby(by)["dev_mean"].idxmax()]
    assert (best["selected"] == 1).all()
    assert grid["selected"].sum() == len(best)
    results = read_table(paths.results, "result").query("metric == 'ccc' and partition == 'dev'")
    merged = best.merge(results, on=[*by, "setting"])
    assert len(merged) == len(best)
    assert merged["dev_mean"].to_numpy() == pytest.approx(merged["mean"].to_numpy())


def test_test_gold_changes_no_choice(tmp_path, params):
    """Other gold standard on test: same points, same steps, same dev scores."""
    corpus = params.corpus("demo_sessions")
    grid = {"alpha": (0.0, 0.1, 0.3), "beta": (0.0, 0.1, 0.2), "seeds": (1, 2)}
    learning = corpus.learning.model_copy(update=grid)
    corpus = corpus.model_copy(update={"learning": learning, "scenarios": corpus.scenarios[:1]})
    tables = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        paths = Paths("demo_sessions", folder)
        speakers = write_corpus(paths, corpus, recordings=2, frames=60)
        if folder.name == "b":
            rng = np.random.default_rng(0)
            for path in paths.raw_predictions.glob("*.parquet"):
                models = [model.rows for model in read_models(path)]
                for rows in models:
                    rows["gold"] = np.where(
                        rows["partition"] == "test", rng.normal(size=len(rows)), rows["gold"]
                    )
                write_models(path, models)
        finish(paths, corpus, speakers)
        grid = pd.read_csv(paths.grid_scores)
        steps = {path.name: path.read_text() for path in paths.predictions.glob("*.steps.csv")}
        tables.append((grid, steps))
    (one, steps_one), (two, steps_two) = tables
    assert steps_one == steps_two
    pd.testing.assert_series_equal(one["selected"], two["selected"])
    pd.testing.assert_series_equal(one["dev_mean"], two["dev_mean"])
    assert not np.allclose(one["test_mean"], two["test_mean"])
    assert one.groupby("system")["selected"].sum().tolist() == [4, 4, 4, 4]


def test_significance_compares_every_system_with_classic(sessions, clips):
    table = pd.read_csv(sessions[0].scores / "significance.csv")
    assert len(table) == 2 * 2 * 2 * 2 * 3
    assert set(table["test"]) == {"Fisher r-to-z"}
    assert set(table["unit"]) == {"recording"}
    assert (table["units"] == 3).all()
    assert table["difference"].to_numpy() == pytest.approx(
        (table["value"] - table["reference"]).to_numpy(), abs=1e-5
    )
    assert ((table["low"] <= table["high"]) & (table["wins"] <= table["seeds"])).all()
    table = pd.read_csv(clips[0].scores / "significance.csv")
    assert set(table["test"]) == {"z-test of proportions"}
    assert set(table["unit"]) == {"speaker"}
    assert (table["units"] == 4).all()
    assert (table["n"] == 56).all()


def test_metrics_json_has_one_number_per_system_and_experiment(sessions):
    paths, _ = sessions
    metrics = json.loads(paths.metrics.read_text())
    row = pd.read_csv(paths.results).query(
        "target == 'video' and dimension == 'valence' and system == 'joint'"
        " and metric == 'ccc' and partition == 'test' and postprocessed == 1"
    )
    found = metrics["video+audio"]["valence"]
    assert found["joint"] == pytest.approx(row["mean"].item(), abs=1e-5)
    assert found["n"] == row["n"].item()
    assert list(found) == ["classic", "joint", "triplet", "emobed", "n"]
    assert metrics["score"] == "ccc on test"


def test_plot_sources(sessions, clips):
    curves = pd.read_csv(sessions[0].scores / "curves/audio+video.arousal.csv")
    assert curves.columns.tolist() == ["epoch", "classic", "joint", "triplet", "emobed"]
    assert len(curves) == 12
    traces = pd.read_csv(sessions[0].scores / "traces/audio+video.arousal.csv")
    assert traces.columns.tolist() == ["time", "gold", "classic", "joint", "triplet", "emobed"]
    assert len(traces) == 200
    confusion = pd.read_csv(clips[0].scores / "confusion/audio+video.emotion.csv")
    assert confusion.columns.tolist() == ["system", "gold", "prediction"]
    assert len(confusion) == 4 * 56


def test_a_partition_without_gold_gets_no_scores_and_says_so(tmp_path, params, caplog):
    paths, _ = evaluated(tmp_path, params, "demo_sessions", labelled=("dev",), frames=60)
    table = pd.read_csv(paths.results)
    assert (table.loc[table["partition"] == "test", "n"] == 0).all()
    assert table.loc[table["partition"] == "test", "mean"].isna().all()
    assert table.loc[table["partition"] == "dev", "mean"].notna().all()
    compared = pd.read_csv(paths.scores / "significance.csv")
    assert set(zip(compared["partition"], compared["selection"], strict=True)) == {("dev", "leave_one_out")}
    assert compared["p_holm"].isna().all()
    metrics = json.loads(paths.metrics.read_text())
    dev = read_table(paths.results, "left_out").query("postprocessed == 1 and system == 'emobed'")
    assert metrics["score"] == "ccc on dev"
    assert metrics["audio+video"]["arousal"]["emobed"] == pytest.approx(
        dev.query("target == 'audio' and dimension == 'arousal'")["mean"].item(), abs=1e-5
    )
    assert "audio+video.arousal: partition test has no gold standard" in caplog.text


def test_without_any_gold_there_is_still_a_table(tmp_path, params):
    paths, _ = evaluated(tmp_path, params, "demo_sessions", labelled=(), frames=60)
    table = pd.read_csv(paths.results)
    assert table["mean"].isna().all()
    assert pd.read_csv(paths.scores / "significance.csv").empty
    assert json.loads(paths.metrics.read_text())["audio+video"]["arousal"]["emobed"] is None


def test_one_seed_has_no_spread(tmp_path, params):
    corpus = params.corpus("demo_clips")
    corpus = corpus.model_copy(update={"learning": corpus.learning.model_copy(update={"seeds": (1,)})})
    paths = Paths("demo_clips", tmp_path)
    finish(paths, corpus, write_corpus(paths, corpus))
    table = pd.read_csv(paths.results)
    assert table["std"].isna().all()
    assert (table["seeds"] == 1).all()


def test_same_input_same_bytes(tmp_path, params):
    files = []
    for folder in ("a", "b"):
        paths, _ = evaluated(tmp_path / folder, params, "demo_clips")
        root = paths.results.parent
        files.append(
            {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        )
    assert files[0] == files[1]
    assert len(files[0]) == 8 + 2


def test_workers_change_no_byte_and_what_they_say_is_heard(tmp_path, params, caplog):
    """Nor does the order in which they finish; each experiment is a task of one call."""
    corpus = params.corpus("demo_sessions")
    grid = {"alpha": (0.0, 0.1), "beta": (0.0, 0.1), "seeds": (1, 2)}
    corpus = corpus.model_copy(update={"learning": corpus.learning.model_copy(update=grid)})
    made, said = [], []
    for folder, shop in ((tmp_path / "one", None), (tmp_path / "two", Workshop(None, workers=2))):
        paths = Paths("demo_sessions", folder)
        speakers = write_corpus(paths, corpus, labelled=("dev",), frames=60)
        caplog.clear()
        postprocess_corpus(paths, corpus, shop or Workshop(None))
        evaluate(paths, corpus, speakers, shop=shop)
        said.append(sorted(caplog.messages))
        made.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()})
    assert made[0] == made[1]
    assert said[0] == said[1]
    assert sum("partition test has no gold standard" in message for message in said[0]) == 4
    assert len(list(made[0])) > 4 * 3


def test_an_experiment_that_cannot_be_scored_is_named(tmp_path, params):
    corpus = params.corpus("demo_sessions")
    paths = Paths("demo_sessions", tmp_path)
    write_corpus(paths, corpus)
    (paths.raw_predictions / "video+audio.valence.parquet").unlink()
    for shop in (Workshop(None), Workshop(None, workers=2)):
        with pytest.raises(PredictionsError) as caught:
            postprocess_corpus(paths, corpus, shop)
        assert place_of(caught.value) == "video+audio.valence: "


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(PredictionsError, match=r"missing\.parquet: no such file"):
        list(read_models(tmp_path / "missing.parquet"))
    path = tmp_path / "a.parquet"
    write_models(path, [session_model(), session_model(0.3), session_model()])
    with pytest.raises(PredictionsError, match="not together"):
        list(read_models(path))
    write_models(path, [session_model().drop(columns="gold")])
    with pytest.raises(PredictionsError, match=r"no columns \['gold'\]"):
        list(read_models(path))
    for wrong, sentence in (
        ({"system": "best"}, r"system 'best', expected one of"),
        ({"setting": None}, r"rows without a setting"),
        ({"setting": "0.3"}, r"a\.parquet: setting '0\.3': found '0\.3', expected pairs such as"),
    ):
        write_models(path, [session_model().assign(**wrong)])
        with pytest.raises(PredictionsError, match=sentence):
            list(read_models(path))


def test_models_may_share_a_row_group_and_a_model_may_span_two(tmp_path):
    whole = pd.concat([clip_model(seed=1), clip_model(seed=2)], ignore_index=True)
    path = tmp_path / "a.parquet"
    whole.to_parquet(path, row_group_size=100)
    models = list(read_models(path))
    assert [(model.variant.seed, len(model.rows)) for model in models] == [(1, 112), (2, 112)]


def test_what_is_resampled():
    assert unit_name({"r1": "a", "r2": "b"}, False) == "recording"
    assert unit_name({"r1": "a", "r2": "a"}, True) == "speaker"
    assert unit_name({}, True) == "utterance"
    assert unit_name({"r1": ""}, False) == "recording"
