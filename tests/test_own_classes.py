"""Classes of an own corpus through all stages: what is scored, said and drawn. Some 20 s."""

from __future__ import annotations

import json

import pytest

from stages.align_labels import align_labels
from stages.read_features import read_features
from stages.register import register
from stages.train import train
from tests.own_tables import OwnTables, clips

PARTS = ["train"] * 8 + ["dev"] * 4 + ["test"] * 4


@pytest.mark.parametrize("pair", [("happy", "sad"), ("glad", "gloomy")])
def test_a_perfect_classifier_scores_one_whatever_its_classes_are_called(tmp_path, pair):
    own = OwnTables(tmp_path)
    own.write(*clips(list(pair) * 8, PARTS))
    own.run()
    results = own.results()
    headline = results[results["partition"] == "test"]
    assert set(headline["metric"]) >= {"f1_macro_pr", "f1_macro", "uar", "accuracy"}
    assert (headline["mean"] == 1).all()
    metrics = json.loads(own.paths.metrics.read_text())
    assert metrics["text+bio"]["emotion"]["classic"] == 1.0
    page = own.paths.report.read_text()
    assert "Guessing at random among the 2 classes gives about .500." in page
    for name in ("anger", "surprise"):
        assert name not in page


def test_a_class_that_test_does_not_have_costs_nothing_and_is_said(tmp_path, caplog):
    own = OwnTables(tmp_path)
    own.write(*clips(["happy", "sad", "anger", "anger"] * 2 + ["happy", "sad", "anger", "sad"]
                     + ["happy", "sad", "happy", "sad"], PARTS))  # fmt: skip
    with caplog.at_level("INFO"):
        own.run()
    results = own.results().query("partition == 'test'")
    assert (results["mean"] == 1).all()
    said = "text+bio.emotion, test: 2 of the 3 classes occur in the gold standard; averages run over these"
    assert said in caplog.text
    assert ", dev: " not in caplog.text
    page = own.paths.report.read_text()
    assert (
        "2 of the 3 classes occur in the gold standard of test, and averages run over these; anger does"
        in page
    )
    # chance: precision 1/2 over the classes that occur, recall 1/3 among those that are guessed
    assert "gives about .400." in page


def test_a_class_that_train_does_not_have_is_named(tmp_path, caplog):
    own = OwnTables(tmp_path)
    own.write(*clips(["happy", "sad"] * 7 + ["bored", "bored"], PARTS))
    own.run(register, read_features, align_labels, train)
    assert "target: no train utterance of the class bored" in caplog.text


def test_folds_deal_unlabelled_recordings_apart_and_say_so(tmp_path, caplog):
    def crossed(own):
        own["partitions"] = {"method": "cross_validation", "folds": 3, "seed": 0}
        own["learning"]["optimiser"] |= {"epochs": 2, "average_epochs": 1}

    own = OwnTables(tmp_path, change=crossed)
    own.write(*clips(["happy", "sad"] * 6 + [""] * 6, ["train"] * 18))
    with caplog.at_level("INFO"):
        own.run()
    assert "recordings with labels that are tested: fold1 4, fold2 4, fold3 4" in caplog.text
    page = own.paths.report.read_text()
    assert "have labels: fold1 4 of 6, fold2 4 of 6, fold3 4 of 6; they were dealt evenly." in page
    assert "average the predictions of all folds’ models" in page
    assert set(own.results().query("fold != fold and partition == 'test'")["n"]) == {12}
