from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from pipeline.learning.temperature import calibrated, fit_temperature
from pipeline.params import Evaluation
from pipeline.scoring.chain import ChainGrid
from pipeline.scoring.class_calibration import TestedClasses as Classes
from pipeline.scoring.class_calibration import tested_classes as of_classes
from pipeline.scoring.conformal import reach
from pipeline.scoring.interval_coverage import TestedTraces as Traces
from pipeline.scoring.interval_coverage import tested_traces as of_traces
from pipeline.scoring.left_out import settings_by_others
from pipeline.scoring.metrics import ccc
from pipeline.scoring.moments import ccc_of_moments
from pipeline.scoring.postprocessing import fit_chain, postprocess_experiment
from pipeline.scoring.refitted import with_refitted
from pipeline.scoring.reliability import (
    calibration_error,
    debiased_error,
    error_by_chance,
    probability_sums,
    reliability,
    reliability_sums,
)
from pipeline.scoring.scored_models import score_models
from pipeline.scoring.selection import Point
from pipeline.scoring.uncertainty import Fold, uncertainty
from tests.scoring.made_up import clip_model, session_model, write_models

PARAMS = Evaluation(confidence=0.95, seed=0)
NAMES = [f"score_{code}" for code in range(7)]


def utterances(seed: int, per_speaker: int = 30, sharpness: float = 3.0) -> pd.DataFrame:
    """Six speakers in dev and in test; overconfident probabilities."""
    rng = np.random.default_rng(seed)
    parts = []
    for partition in ("dev", "test"):
        for speaker in range(6):
            logits = rng.normal(size=(per_speaker, 7))
            right = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            sharp = right**sharpness / (right**sharpness).sum(axis=1, keepdims=True)
            parts.append(
                pd.DataFrame(sharp, columns=NAMES).assign(
                    partition=partition,
                    unit=f"{partition}_{speaker}",
                    gold=(right.cumsum(axis=1) > rng.random((per_speaker, 1))).argmax(axis=1).astype(float),
                )
            )
    return pd.concat(parts, ignore_index=True)


def test_calibration_is_fitted_on_dev_and_scored_on_test():
    rows = utterances(0)
    tested = of_classes(rows, NAMES)
    found = Classes.row([tested], PARAMS, "speaker")
    dev, test = (rows[rows["partition"] == name] for name in ("dev", "test"))
    expected = fit_temperature(dev[NAMES].to_numpy(), dev["gold"].to_numpy(int)).value
    assert found["temperature"] == expected
    assert expected == pytest.approx(3.0, rel=0.3)
    gold = test["gold"].to_numpy(int)
    assert found["ece_before"] == pytest.approx(reliability(test[NAMES].to_numpy(), gold).error)
    assert found["ece"] == pytest.approx(
        reliability(calibrated(test[NAMES].to_numpy(), expected), gold).error
    )
    assert found["ece"] < 0.1 < 0.3 < found["ece_before"]
    assert (found["n"], found["units"], found["dev_utterances"]) == (180, 6, 180)
    assert found["before_low"] < found["ece_before"] < found["before_high"]
    assert 0.02 < found["ece_by_chance"] < 0.09


def test_without_labels_of_test_each_speaker_of_dev_is_calibrated_by_the_others():
    rows = utterances(1)
    rows.loc[rows["partition"] == "test", "gold"] = np.nan
    tested = of_classes(rows, NAMES)
    assert tested.partition == "dev"
    own = (rows["unit"] == "dev_2").to_numpy()
    others = rows[(rows["partition"] == "dev") & ~own]
    value = fit_temperature(others[NAMES].to_numpy(), others["gold"].to_numpy(int)).value
    expected = calibrated(rows.loc[own, NAMES].to_numpy(), value)
    assert tested.after[tested.units == "dev_2"] == pytest.approx(expected)
    row = Classes.row([tested], PARAMS, "speaker")
    assert (row["partition"], row["selection"], row["n"]) == ("dev", "leave_one_out", 180)
    rows["gold"] = np.nan
    row = Classes.row([of_classes(rows, NAMES)], PARAMS, "speaker")
    assert (row["partition"], row["n"], row["temperature"], row["dev_utterances"]) == ("", 0, 1.0, 0)
    assert np.isnan(row["ece"])


def test_sums_of_units_give_the_error_of_all_of_them():
    rng = np.random.default_rng(2)
    scores, gold = rng.dirichlet(np.ones(4), 300), rng.integers(0, 4, 300)
    units = rng.integers(0, 5, 300)
    sums = reliability_sums(scores, gold, units)
    assert float(calibration_error(sums.sum(0))) == pytest.approx(reliability(scores, gold).error)
    some = np.isin(units, (0, 3))
    expected = reliability(scores[some], gold[some]).error
    assert float(calibration_error(sums[[0, 3]].sum(0))) == pytest.approx(expected)


def test_the_debiased_error_is_twice_the_error_less_what_is_drawn_about_it():
    """A literal simulation: shares of right answers drawn anew about those that were found."""
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.2, 1.0, 200)
    right = rng.random(200) < confidence**2
    sums = probability_sums(confidence, right, np.zeros(200, int))[0]
    drawn = np.zeros(20_000)
    for count, hits, sure in sums[sums[:, 0] > 0]:
        share = hits / count
        other = rng.normal(share, np.sqrt(share * (1 - share) / count), len(drawn))
        drawn += count / 200 * np.abs(other - sure / count)
    expected = 2 * float(calibration_error(sums)) - drawn.mean()
    assert float(debiased_error(sums)) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("power", [1.5, 1.75])
def test_the_debiased_error_is_right_in_the_mean_where_the_error_is_too_large(power):
    """Said is c, and right is a share of c ** power: how far both are apart is known."""
    rng = np.random.default_rng(0)
    known = np.linspace(0.2, 1, 100_001)
    truth = np.abs(known - known**power).mean()  # the bins' gaps have one sign
    found = []
    for _ in range(1500):
        confidence = rng.uniform(0.2, 1.0, 84)
        sums = probability_sums(confidence, rng.random(84) < confidence**power, np.zeros(84, int))[0]
        found.append((float(calibration_error(sums)), float(debiased_error(sums))))
    plain, debiased = np.mean(found, axis=0)
    assert abs(debiased - truth) < 0.6 * abs(plain - truth)


def test_a_single_right_answer_adds_nothing_that_could_be_taken_off():
    sums = probability_sums(np.array([0.75]), np.array([True]), np.zeros(1, int))[0]
    assert float(debiased_error(sums)) == pytest.approx(0.25)
    assert np.isnan(debiased_error(np.zeros((10, 3))))


def test_the_error_by_chance_is_that_of_outcomes_drawn_from_the_confidences():
    rng = np.random.default_rng(3)
    scores = rng.dirichlet(np.full(5, 0.5), 84)
    drawn = [
        reliability(scores, np.where(rng.random(84) < scores.max(1), scores.argmax(1), 99)).error
        for _ in range(400)
    ]
    assert error_by_chance(scores.max(axis=1), 1000, 0) == pytest.approx(np.mean(drawn), abs=0.004)


def traces(seed: int, recordings: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for partition in ("dev", "test"):
        for number in range(recordings):
            gold = rng.normal(size=40)
            prediction = gold + rng.normal() + 0.5 * rng.normal(size=40)
            name = f"{partition}_{number}"
            parts.append(
                pd.DataFrame(
                    {"recording": name, "unit": name, "gold": gold, "prediction": prediction}
                ).assign(partition=partition)
            )
    return pd.concat(parts, ignore_index=True)


def test_intervals_are_fitted_on_dev_and_count_on_test():
    rows = traces(0)
    dev, test = (rows[rows["partition"] == name] for name in ("dev", "test"))
    row = Traces.row([of_traces(dev, test)], PARAMS, "recording")
    own = [part["prediction"].to_numpy() - part["gold"].to_numpy() for _, part in dev.groupby("unit")]
    assert row["reach"] == reach(own).value
    inside = (test["prediction"] - test["gold"]).abs() <= row["reach"]
    assert row["coverage"] == pytest.approx(inside.groupby(test["unit"]).mean().mean())
    assert row["lowest"] == pytest.approx(inside.groupby(test["unit"]).mean().min())
    assert row["coverage_low"] < row["coverage"] < row["coverage_high"]
    assert (row["n"], row["units"], row["recordings"], row["dev_units"]) == (240, 6, 6, 6)
    assert row["width"] == pytest.approx(2 * row["reach"])
    assert row["gold_width"] == pytest.approx(np.diff(np.quantile(test["gold"], [0.05, 0.95]))[0])


def test_without_labels_of_test_each_recording_of_dev_has_the_interval_of_the_others():
    rows = traces(1).assign(gold=lambda table: table["gold"].where(table["partition"] == "dev"))
    dev, test = (rows[rows["partition"] == name] for name in ("dev", "test"))
    tested = of_traces(dev, test)
    assert tested.partition == "dev"
    others = [part for name, part in dev.groupby("unit") if name != "dev_3"]
    own = reach([part["prediction"].to_numpy() - part["gold"].to_numpy() for part in others]).value
    assert tested.frames.loc[tested.frames["unit"] == "dev_3", "width"].unique() == pytest.approx([2 * own])
    few = dev[dev["unit"].isin(["dev_1", "dev_2"])]
    row = Traces.row([of_traces(few, test)], PARAMS, "recording")
    assert (row["partition"], row["rule"], row["n"], row["dev_units"]) == ("", "none", 0, 2)


def test_a_fold_without_labels_of_test_is_not_tested_beside_those_that_have_some():
    """Who is on its dev is tested by another fold already, and would count twice."""
    rows = traces(0)
    dev, test = (rows[rows["partition"] == name] for name in ("dev", "test"))
    whole, nothing = of_traces(dev, test), of_traces(test, dev[:0])
    assert nothing.partition == "dev"
    for folds in ([whole, nothing], [nothing, whole]):
        row = Traces.row(folds, PARAMS, "recording")
        assert (row["partition"], row["n"], row["units"]) == ("test", 240, 6)
        assert row["coverage"] == Traces.row([whole], PARAMS, "recording")["coverage"]
    said = utterances(0)
    first = of_classes(said, NAMES)
    other = of_classes(said[said["partition"] == "test"].assign(partition="dev"), NAMES)
    for parts in ([first, other], [other, first]):
        found = Classes.row(parts, PARAMS, "speaker")
        assert (found["partition"], found["n"], found["units"]) == ("test", 180, 6)


def corpus(task: str, hop: float | None, postprocessing=None):
    return SimpleNamespace(
        task=task, evaluation=PARAMS, grid=SimpleNamespace(hop=hop), postprocessing=postprocessing
    )


def test_folds_have_a_row_each_and_one_of_all_their_recordings(tmp_path, params):
    post = params.corpus("demo_sessions").postprocessing
    folds = []
    for fold in ("fold1", "fold2", "fold3"):
        models = [session_model(seed=seed, recordings=3, frames=60) for seed in (1, 2)]
        for rows in models:
            rows["recording"] = rows["recording"] + fold
        raw, final = tmp_path / f"raw.{fold}.parquet", tmp_path / f"{fold}.parquet"
        write_models(raw, models)
        postprocess_experiment(raw, final, post, 0.2)
        point = Point("classic", str(models[0]["setting"].iloc[0]))
        scored = with_refitted(score_models(final, "regression", {}), raw, post, 0.2)
        folds.append(Fold(fold, raw, final, [point], scored))
    rows = pd.DataFrame(uncertainty(folds, corpus("regression", 0.2, post), {}, "recording").rows)
    assert rows["fold"].tolist() == ["", "fold1", "fold2", "fold3"]
    assert rows["n"].tolist() == [540, 180, 180, 180]
    assert rows["coverage"][0] == pytest.approx(rows["coverage"][1:].mean())
    assert rows["reach"].isna().tolist() == [True, False, False, False]


def test_what_a_recogniser_gives_out_is_calibrated_not_each_seed(tmp_path):
    models = [clip_model(seed=seed, speakers=6) for seed in (1, 2, 3)]
    path = tmp_path / "final.parquet"
    write_models(path, models)
    point = Point("classic", str(models[0]["setting"].iloc[0]))
    speakers = {name: name.split("/")[0] for name in models[0]["recording"]}
    fold = Fold("", path, path, [point], score_models(path, "classification", speakers))
    found = uncertainty([fold], corpus("classification", None), speakers, "speaker")
    (row,) = found.rows
    rows = models[0]
    mean = np.mean([own[NAMES].to_numpy(float) for own in models], axis=0)
    dev = (rows["partition"] == "dev").to_numpy()
    expected = fit_temperature(mean[dev], rows["gold"].to_numpy(int)[dev]).value
    assert row["temperature"] == pytest.approx(expected, rel=1e-6)
    assert (row["n"], row["units"]) == (84, 6)
    curve = pd.DataFrame(found.reliability)
    assert curve.groupby("calibrated")["share"].sum().tolist() == pytest.approx([1.0, 1.0])


def test_what_was_chosen_on_dev_is_chosen_by_the_others_for_each_unit(tmp_path, params):
    """Settings and chains of each recording of dev against a loop that leaves it out."""
    post = params.corpus("demo_sessions").postprocessing
    # settings alike, so that recordings differ in which is best
    models = [
        session_model(alpha, seed=seed, recordings=5, frames=40, noise=0.5)
        for alpha in (0.4, 0.5, 0.6, 0.7)
        for seed in (1, 2)
    ]
    raw, final = tmp_path / "raw.parquet", tmp_path / "final.parquet"
    write_models(raw, models)
    postprocess_experiment(raw, final, post, 0.2)
    scored = with_refitted(score_models(final, "regression", {}), raw, post, 0.2)
    system, settings = models[0]["system"].iloc[0], sorted({rows["setting"].iloc[0] for rows in models})
    grid = ChainGrid.from_params(post, 0.2)
    errors, chosen = [], {}
    for name in (f"dev_{number}" for number in range(1, 6)):
        scores, own = {}, {}
        for setting in settings:
            values = []
            for rows in models:
                if rows["setting"].iloc[0] != setting:
                    continue
                dev = dict(list(rows[rows["partition"] == "dev"].groupby("recording")))
                others = [dev[other] for other in dev if other != name]
                traces, gold = (
                    [part[key].to_numpy(float) for part in others] for key in ("prediction", "gold")
                )
                chain = fit_chain(traces, gold, grid, post.keep)
                after = np.concatenate([chain.apply(trace) for trace in traces])
                values.append(ccc(after, np.concatenate(gold)))
                own.setdefault(setting, []).append(chain.apply(dev[name]["prediction"].to_numpy(float)))
            scores[setting] = np.mean(values)
        chosen[name] = max(settings, key=scores.__getitem__)
        errors.append(np.mean(own[chosen[name]], axis=0) - dev[name]["gold"].to_numpy())
    assert settings_by_others(scored, system, ccc_of_moments) == chosen
    assert len({*chosen.values()}) > 1
    fold = Fold("", raw, final, [Point(system, chosen["dev_1"])], scored)
    (row,) = uncertainty([fold], corpus("regression", 0.2, post), {}, "recording").rows
    assert row["reach"] == pytest.approx(reach(errors).value, abs=1e-6)
