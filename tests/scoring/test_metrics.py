from __future__ import annotations

import audmetric
import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.scoring import metrics


@pytest.fixture
def traces():
    rng = np.random.default_rng(0)
    gold = rng.normal(size=500)
    return 0.5 * gold + 0.3 + 0.4 * rng.normal(size=500), gold


def test_ccc_equals_audmetric_and_the_formula_with_population_moments(traces):
    prediction, gold = traces
    covariance = np.mean((prediction - prediction.mean()) * (gold - gold.mean()))
    by_hand = 2 * covariance / (prediction.var() + gold.var() + (prediction.mean() - gold.mean()) ** 2)
    assert metrics.ccc(prediction, gold) == pytest.approx(by_hand, abs=1e-14)
    assert metrics.ccc(prediction, gold) == audmetric.concordance_cc(gold, prediction)
    assert metrics.ccc([0, 1, 1], [0, 1, 2]) == pytest.approx(2 / 3)


def test_ccc_properties(traces):
    prediction, gold = traces
    assert metrics.ccc(gold, gold) == pytest.approx(1.0)
    assert metrics.ccc(-gold, gold) < 0
    assert metrics.ccc(prediction, gold) == pytest.approx(metrics.ccc(gold, prediction))
    assert abs(metrics.ccc(prediction, gold)) <= abs(metrics.pcc(prediction, gold))


def test_pcc_and_rmse_equal_numpy(traces):
    prediction, gold = traces
    assert metrics.pcc(prediction, gold) == pytest.approx(np.corrcoef(prediction, gold)[0, 1])
    assert metrics.rmse(prediction, gold) == pytest.approx(np.sqrt(np.mean((prediction - gold) ** 2)))


def test_constants_and_missing_gold():
    assert metrics.ccc([1, 1, 1], [1, 2, 3]) == 0
    assert np.isnan(metrics.ccc([1, 1], [1, 1]))
    assert np.isnan(metrics.pcc([1, 2, 3], [2, 2, 2]))
    assert np.isnan(metrics.pcc([2, 2, 2], [1, 2, 3]))
    nothing = metrics.score_regression([1.0, 2.0], [np.nan, np.nan], ["a", "a"])
    assert all(np.isnan(value) for value in nothing.values())
    nothing = metrics.score_classification([1, 2], [np.nan, np.nan])
    assert all(np.isnan(value) for value in nothing.values())


def test_rows_without_gold_are_left_out_but_a_nan_prediction_is_an_error():
    assert metrics.ccc([0, 9, 1, 1], [0, np.nan, 1, 2]) == pytest.approx(2 / 3)
    assert metrics.ccc([0, np.nan, 1, 1], [0, np.nan, 1, 2]) == pytest.approx(2 / 3)
    with pytest.raises(ValueError, match="1 of 2 predictions are not finite"):
        metrics.ccc([np.nan, 1], [1, 2])
    with pytest.raises(ValueError, match="3 predictions for 2 values"):
        metrics.rmse([1, 2, 3], [1, 2])


def test_ccc_per_recording_is_the_mean_and_leaves_out_undefined_recordings(traces):
    prediction, gold = traces
    recording = np.repeat(["a", "b"], 250)
    expected = np.mean([metrics.ccc(prediction[:250], gold[:250]), metrics.ccc(prediction[250:], gold[250:])])
    assert metrics.ccc_per_recording(prediction, gold, recording) == pytest.approx(expected)
    half = np.where(recording == "b", np.nan, gold)
    expected = metrics.ccc(prediction[:250], gold[:250])
    assert metrics.ccc_per_recording(prediction, half, recording) == pytest.approx(expected)


def test_classification_scores_equal_scikit_learn():
    rng = np.random.default_rng(1)
    gold = rng.integers(0, 6, 200)  # class 6 never occurs in the gold standard
    prediction = np.where(rng.random(200) < 0.5, gold, rng.integers(0, 7, 200))
    scores = metrics.score_classification(prediction, gold)
    options = {"labels": range(6), "zero_division": 0}
    precision = sk.precision_score(gold, prediction, average="macro", **options)
    recall = sk.recall_score(gold, prediction, average="macro", **options)
    assert scores == {
        "f1_macro_pr": pytest.approx(2 * precision * recall / (precision + recall)),
        "f1_macro": pytest.approx(sk.f1_score(gold, prediction, average="macro", **options)),
        "f1_weighted": pytest.approx(sk.f1_score(gold, prediction, average="weighted", **options)),
        "uar": pytest.approx(sk.balanced_accuracy_score(gold, prediction)),
        "accuracy": pytest.approx(np.mean(gold == prediction)),
    }
    assert recall == pytest.approx(scores["uar"])
    assert tuple(scores) == metrics.CLASSIFICATION_METRICS


@pytest.mark.parametrize("gold", [[3, 5, 3, 5, 5], [0, 1, 2, 3, 6], [4, 4, 4]])
def test_a_perfect_classifier_scores_one_whatever_classes_occur(gold):
    assert set(metrics.score_classification(gold, gold).values()) == {1.0}


def test_f1_macro_pr_by_hand():
    # Class 0: precision 2/3, recall 1. Class 1: precision 1, recall 1/2.
    assert metrics.f1_macro_pr([0, 0, 0, 1], [0, 0, 1, 1]) == pytest.approx(
        2 * (5 / 6) * (3 / 4) / (5 / 6 + 3 / 4)
    )
    assert metrics.f1_macro_pr([1, 0], [0, 1]) == 0
    assert metrics.f1_macro_pr([0, 1], [0, 1]) == 1
    # Class 2 is nobody's: class 1 has precision 1 and recall 1/2, class 0 both 1.
    assert metrics.f1_macro_pr([0, 0, 1, 2], [0, 0, 1, 1]) == pytest.approx(2 * 1 * 0.75 / 1.75)
