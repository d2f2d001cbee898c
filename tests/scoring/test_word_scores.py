"""Scores of classes as questions of their own: by hand, by scikit-learn, and of a class never seen."""

import re

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import f1_score, roc_auc_score

from pipeline.paths import Paths
from pipeline.reporting.word_tables import word_note, word_table
from pipeline.scoring.intervals import Jackknifed, difference_interval, score_interval
from pipeline.scoring.scored_models import score_models
from pipeline.scoring.selection import Point
from pipeline.scoring.uncertainty import Fold
from pipeline.scoring.word_scores import Answers, gains_of, scores_of, word_scores
from tests.learning.synthetic import clips
from tests.learning.systems.emotion_word_corpora import CLASSES, EVERY, settings
from tests.learning.test_experiment import run


def answers(seed, rows=24):
    random = np.random.default_rng(0)
    gold = np.eye(3, dtype=bool)[np.arange(rows) % 3]
    scores = gold * 0.4 + np.random.default_rng(seed).random((rows, 3))
    predicted = np.eye(3, dtype=bool)[scores.argmax(1)]
    return Answers(gold, predicted, scores, random.choice(np.array(["a", "b", "c", "d"]), rows))


def row_of(table, **wanted):
    (found,) = [row for row in table if all(row[key] == value for key, value in wanted.items())]
    return found


def test_scores_by_hand():
    gold = np.array([[1], [1], [0], [0], [0], [0]], bool)
    predicted = np.array([[1], [0], [1], [0], [0], [0]], bool)
    scores = np.array([[0.9], [0.4], [0.6], [0.3], [0.2], [0.1]])
    found = scores_of([Answers(gold, predicted, scores, np.array(list("aabbcc")))], ["fear"], ["none"], 0.95)
    # TP 1, P 2, TN 3, N 4
    assert row_of(found, emotion="fear", metric="wacc")["value"] == pytest.approx((1 * 4 / 2 + 3) / (2 * 4))
    # precision 1/2, recall 1/2
    assert row_of(found, emotion="fear", metric="f1_binary")["value"] == pytest.approx(0.5)
    # F1 of absent: precision 3/4, recall 3/4; weighted by 2 and 4
    weighted = (2 * 0.5 + 4 * 0.75) / 6
    assert row_of(found, emotion="fear", metric="f1_weighted_binary")["value"] == pytest.approx(weighted)
    # of 2 x 4 pairs the second one present is below one absent
    assert row_of(found, emotion="fear", metric="auc")["value"] == pytest.approx(7 / 8)
    assert row_of(found, emotion="fear", metric="auc")["present"] == 2
    assert row_of(found, emotion="mean", metric="wacc")["learned"] == "none"


def test_scores_and_intervals_are_those_of_the_libraries():
    seeds = [answers(seed) for seed in (1, 2, 3)]
    found = scores_of(seeds, ["x", "y", "z"], ["all", "none", "all"], 0.9)
    for code, name in enumerate("xyz"):
        for metric, score in (
            ("auc", lambda own, code, rows: roc_auc_score(own.gold[rows, code], own.scores[rows, code])),
            ("f1_binary", lambda own, code, rows: f1_score(own.gold[rows, code], own.predicted[rows, code])),
            (
                "f1_weighted_binary",
                lambda own, code, rows: f1_score(
                    own.gold[rows, code], own.predicted[rows, code], average="weighted"
                ),
            ),
        ):
            whole = np.array([score(own, code, slice(None)) for own in seeds])
            left = np.array([[score(own, code, own.units != unit) for unit in "abcd"] for own in seeds])
            expected = score_interval(Jackknifed(whole, left), 0.9, "share")
            row = row_of(found, emotion=name, metric=metric)
            assert (row["value"], row["low"], row["high"]) == pytest.approx(expected[:3])
            assert row["std"] == pytest.approx(whole.std(ddof=1))
    both = [row_of(found, emotion=name, metric="auc")["value"] for name in "xz"]
    assert row_of(found, emotion="mean", learned="all", metric="auc")["value"] == pytest.approx(np.mean(both))
    assert row_of(found, emotion="mean", learned="none", metric="auc")["value"] == pytest.approx(
        row_of(found, emotion="y", metric="auc")["value"]
    )
    assert {row["chance"] for row in found if row["metric"] == "auc"} == {0.5}


def test_the_gain_over_the_control_is_paired_by_seed_and_unit():
    ours, control = ([answers(seed) for seed in seeds] for seeds in ((1, 2, 3), (4, 5, 6)))
    learned = ["none", "all", "none"]
    (found,) = [row for row in gains_of(ours, control, learned, 0.9) if row["metric"] == "auc_gain"]

    def areas(each, units=()):
        rows = ~np.isin(each.units, units)
        return np.mean([roc_auc_score(each.gold[rows, k], each.scores[rows, k]) for k in (0, 2)])

    jackknifed = [
        Jackknifed(
            np.array([areas(own) for own in each]),
            np.array([[areas(own, [unit]) for unit in "abcd"] for own in each]),
        )
        for each in (ours, control)
    ]
    expected = difference_interval(*jackknifed, 0.9, "share", paired=True)
    assert (found["value"], found["low"], found["high"]) == pytest.approx(expected[:3])
    assert gains_of(ours, control, ["all"] * 3, 0.9) == []


@pytest.fixture(scope="module")
def trained(tmp_path_factory, params):
    """Return the rows of a training that never saw fear, its paths and its corpus."""
    paths = Paths("demo_clips", tmp_path_factory.mktemp("words"))
    corpus = params.corpus("demo_clips")
    given = settings({"zero_shot": ["fear"], "few_shot": {"sad": 0.2}, "epochs": 2})
    folder = paths.models / "audio+video.emotion"
    folder.mkdir(parents=True)
    paths.predictions.mkdir(parents=True)
    file = paths.predictions / "audio+video.emotion.parquet"
    predictions, _ = run(clips(), folder, given, classes=CLASSES)
    (folder / "raw.parquet").rename(file)
    speakers = {name: name.partition("_")[0] + name[-1] for name in predictions["recording"]}
    models = score_models(file, "classification", speakers)
    fold = Fold("", file, file, [Point(name, "") for name in EVERY], models)

    def scored(*folds):
        return word_scores([fold, *folds], "audio+video", "emotion", paths, corpus, speakers, "speaker")

    return pd.DataFrame(scored()), paths, predictions, scored


def test_a_fold_that_leaves_the_systems_out_has_no_part_in_their_scores(trained, tmp_path):
    rows, _, _, scored = trained
    nothing = tmp_path / "nothing.parquet"  # nor has it a file of what was learned
    lacking = Fold("fold2", nothing, nothing, [Point("classic", "")], {})
    pd.testing.assert_frame_equal(pd.DataFrame(scored(lacking)), rows)


def test_a_class_never_seen_is_told_from_others_in_the_scores(trained):
    rows, paths, predictions, _ = trained
    assert set(rows["system"]) == set(EVERY)
    by_class = rows[rows["emotion"] != "mean"].groupby("emotion")["learned"].unique().map(list).to_dict()
    assert by_class == {"anger": ["all"], "fear": ["none"], "happy": ["all"], "sad": ["some"]}
    own = predictions[(predictions["system"] == "emotion_words") & (predictions["partition"] == "test")]
    expected = [roc_auc_score(seed["gold"] == 1, seed["score_1"]) for _, seed in own.groupby("seed")]
    logits = pd.read_parquet(paths.models / "audio+video.emotion/logits.parquet")
    logits = own.merge(logits[logits["system"] == "emotion_words"], on=["recording", "seed"])
    assert len(logits) == len(own)
    of_classes = softmax(logits.filter(like="logit_").to_numpy(), axis=1)
    np.testing.assert_allclose(of_classes, logits.filter(like="score_").to_numpy(), atol=1e-6)
    by_own = [roc_auc_score(seed["gold"] == 1, seed["logit_1"]) for _, seed in logits.groupby("seed")]
    found = rows.query("system == 'emotion_words' and emotion == 'fear' and metric == 'auc_own'").squeeze()
    assert found["value"] == pytest.approx(np.mean(by_own))
    assert found["chance"] == 0.5
    found = rows.query("system == 'emotion_words' and emotion == 'fear' and metric == 'auc'").squeeze()
    assert found["value"] == pytest.approx(np.mean(expected))
    assert (found["n"], found["present"], found["seeds"]) == (16, 4, 2)


def test_the_report_says_whether_it_is_above_chance(trained):
    rows, _, _, _ = trained
    table = word_table(rows, "x")
    assert table.rows[0][0].text == "fear"
    assert table.rows[0][1].text == "never seen"
    assert [row[0].text for row in table.rows].count("mean of those seen") == 3
    assert re.search(
        r"emotion words, never having seen fear: AUC [.\d]+, (above|below|not told from) chance",
        word_note(rows),
    )
    assert re.search(
        r"emotion words, AUC \S+ over its control, (above|below|not told from) 0", word_note(rows)
    )
    assert "By the class’s own logit alone: emotion words, AUC ." in word_note(rows)
    shown = [column.name for column in table.columns]
    assert "AUC, own logit" in shown
    assert {len(row) for row in table.rows} == {len(shown)}
    auc = (rows["metric"] == "auc") & (rows["emotion"] == "mean") & (rows["learned"] == "none")
    for low, high, text in (
        (0.6, 0.8, "above chance (.600"),
        (0.4, 0.6, "not told from"),
        (0.1, 0.3, "below chance"),
    ):
        changed = rows.copy()
        changed.loc[auc, ["low", "high"]] = low, high
        assert text in word_note(changed)
