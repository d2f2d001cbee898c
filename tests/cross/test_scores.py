import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from pipeline.corpora.label_sets import codes_of
from pipeline.cross.gold import NothingToScoreError
from pipeline.cross.scores import Predicted, score
from pipeline.learning.system import Variant
from pipeline.params import Evaluation
from pipeline.scoring.metrics import ccc, pcc

PARAMS = Evaluation(confidence=0.95, seed=0)
VARIANT = Variant("classic", "", 0)


def test_traces_are_scored_where_there_is_gold_and_speakers_are_the_units():
    random = np.random.default_rng(0)
    found = []
    for i in range(6):
        gold = random.normal(size=40)
        found.append(Predicted(f"r{i}", gold + random.normal(size=40), np.where(gold > 1.5, np.nan, gold)))
    speakers = {f"r{i}": f"s{i // 2}" for i in range(6)}
    rows = score(found, "regression", 0, VARIANT, speakers, {}, PARAMS, "speaker", "x").scores
    predicted, gold = (
        np.concatenate([getattr(own, name) for own in found]) for name in ("prediction", "gold")
    )
    by_metric = {row["metric"]: row for row in rows}
    assert by_metric["ccc"]["value"] == pytest.approx(ccc(predicted, gold))
    assert by_metric["pcc"]["value"] == pytest.approx(pcc(predicted, gold))
    assert by_metric["ccc"]["low"] < by_metric["ccc"]["value"] < by_metric["ccc"]["high"]
    assert by_metric["ccc"]["units"] == 3
    assert by_metric["ccc"]["recordings"] == 6
    assert by_metric["ccc"]["n"] == int(np.isfinite(gold).sum())


def test_classes_are_scored_by_group_too():
    random = np.random.default_rng(1)
    gold = random.integers(3, size=60)
    predicted = np.where(random.random(60) < 0.7, gold, random.integers(3, size=60))
    found = [Predicted(f"u{i}", predicted[[i]].astype(float), gold[[i]].astype(float)) for i in range(60)]
    speakers = {f"u{i}": f"s{i % 12}" for i in range(60)}
    groups = {"sex": {f"u{i}": "f" if i % 2 else "m" for i in range(60)}}
    scores = score(found, "classification", 3, VARIANT, speakers, groups, PARAMS, "speaker", "x")
    value = next(row["value"] for row in scores.scores if row["metric"] == "uar")
    assert value == pytest.approx(balanced_accuracy_score(gold, predicted))
    assert [row["group"] for row in scores.groups[:2]] == ["f", "m"]


def test_sets_of_labels_are_scored_label_by_label_with_their_probabilities():
    random = np.random.default_rng(2)
    truth = random.random((60, 3)) < [0.5, 0.2, 0.4]
    scores = np.clip(0.5 * truth + 0.5 * random.random((60, 3)), 0, 1)
    predicted = scores > [0.6, 0.4, 0.5]
    found = [
        Predicted(f"u{i}", codes_of(predicted[[i]]), codes_of(truth[[i]]), scores[[i]])
        for i in random.permutation(60)
    ]
    speakers = {f"u{i}": f"s{i % 12}" for i in range(60)}
    rows = score(found, "multilabel", 3, VARIANT, speakers, {}, PARAMS, "speaker", "x").scores
    value = {row["metric"]: row["value"] for row in rows}
    of_each = range(3)
    assert value["wacc"] == pytest.approx(
        np.mean([balanced_accuracy_score(truth[:, k], predicted[:, k]) for k in of_each])
    )
    assert value["auc"] == pytest.approx(np.mean([roc_auc_score(truth[:, k], scores[:, k]) for k in of_each]))
    assert value["hamming"] == pytest.approx((truth == predicted).mean())
    (wacc,) = [row for row in rows if row["metric"] == "wacc"]
    assert wacc["low"] < wacc["value"] < wacc["high"]


def test_no_gold_standard_is_one_sentence():
    for found in ([Predicted("a", np.zeros(2), np.full(2, np.nan))], []):
        with pytest.raises(NothingToScoreError, match="there: no label time of a recording has both"):
            score(found, "regression", 0, VARIANT, {}, {}, PARAMS, "recording", "there")
