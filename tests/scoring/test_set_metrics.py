import numpy as np
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    hamming_loss,
    multilabel_confusion_matrix,
    roc_auc_score,
)

from pipeline.corpora.label_sets import codes_of
from pipeline.scoring.class_scores import co_occurrence
from pipeline.scoring.platt import fit_line, on_lines
from pipeline.scoring.set_counts import (
    f1_binary,
    f1_by_class,
    f1_weighted_by_class,
    hamming_accuracy,
    rows_of_counts,
    wacc,
    wacc_by_class,
)
from pipeline.scoring.set_metrics import auc_by_class, score_sets, set_counts


def made_up(rows=60, seed=0):
    """Return truth and scores, (rows, 4): the third label nobody has, the fourth everybody."""
    random = np.random.default_rng(seed)
    truth = random.random((rows, 4)) < [0.4, 0.1, 0.0, 1.0]
    return truth, np.clip(0.25 + 0.4 * truth + 0.3 * random.normal(size=truth.shape), 0, 1)


def test_the_weighted_accuracy_by_hand():
    # P = 2 present, N = 3 absent labels, TP = 1, TN = 2: (1 * 3 / 2 + 2) / 6
    gold, prediction = [1, 1, 0, 0, 0], [1, 0, 1, 0, 0]
    counts = set_counts(prediction, gold, 1)
    assert wacc(counts) == pytest.approx((1 * 3 / 2 + 2) / 6)
    assert f1_binary(counts) == pytest.approx(2 * 0.5 * 0.5 / 1)
    assert hamming_accuracy(counts) == pytest.approx(3 / 5)
    assert rows_of_counts(counts) == 5


def test_scores_by_class_are_those_of_scikit_learn():
    truth, scores = made_up()
    predicted = scores > 0.5
    counts = set_counts(codes_of(predicted), codes_of(truth), 4)
    for c in range(4):
        pair = truth[:, c], predicted[:, c]
        assert f1_weighted_by_class(counts)[c] == pytest.approx(
            f1_score(*pair, average="weighted", zero_division=0)
        )
        if c < 2:
            assert wacc_by_class(counts)[c] == pytest.approx(balanced_accuracy_score(*pair))
        if c != 2:
            assert f1_by_class(counts)[c] == pytest.approx(f1_score(*pair))
    assert np.isnan(wacc_by_class(counts)[2:]).all()
    assert np.isnan(f1_by_class(counts)[2])
    np.testing.assert_allclose(
        auc_by_class(scores, codes_of(truth))[:2], [roc_auc_score(truth[:, c], scores[:, c]) for c in (0, 1)]
    )


def test_means_run_over_the_classes_that_can_be_scored():
    truth, scores = made_up()
    predicted = scores > 0.5
    gold = codes_of(truth)
    gold[4] = np.nan
    truth, kept = np.delete(truth, 4, axis=0), np.delete(predicted, 4, axis=0)
    found = score_sets(codes_of(predicted), gold, scores)
    expected = [balanced_accuracy_score(truth[:, c], kept[:, c]) for c in (0, 1)]
    assert found["wacc"] == pytest.approx(np.mean(expected))
    assert found["f1_binary"] == pytest.approx(
        np.mean([f1_score(truth[:, c], kept[:, c]) for c in (0, 1, 3)])
    )
    assert found["hamming"] == pytest.approx(1 - hamming_loss(truth, kept))
    assert found["exact"] == pytest.approx((truth == kept).all(axis=1).mean())
    assert all(np.isnan(own) for own in score_sets([0.0], [np.nan], np.zeros((1, 4))).values())


def test_counts_of_units_add_up():
    truth, scores = made_up()
    gold, prediction = codes_of(truth), codes_of(scores > 0.5)
    parts = [set_counts(prediction[i::3], gold[i::3], 4) for i in range(3)]
    np.testing.assert_array_equal(sum(parts), set_counts(prediction, gold, 4))
    expected = multilabel_confusion_matrix(truth, scores > 0.5)
    np.testing.assert_array_equal(set_counts(prediction, gold, 4), expected)


def test_a_score_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="1 scores of classes are not finite"):
        score_sets([0.0], [0.0], np.array([[np.nan, 0.1]]))


def test_labels_together_are_counted():
    assert co_occurrence(codes_of([[1, 1, 0], [1, 0, 0], [0, 0, 0]]), 3).tolist() == [
        [2, 1, 0],
        [1, 1, 0],
        [0, 0, 0],
    ]


def test_a_line_takes_back_what_a_weight_of_the_loss_added():
    random = np.random.default_rng(3)
    true = np.clip(random.beta(0.6, 4, size=4000), 1e-3, 1 - 1e-3)
    present = random.random(4000) < true
    inflated = 6 * true / (6 * true + 1 - true)  # what binary cross-entropy with pos_weight 6 makes of it
    line = fit_line(inflated, present)
    assert line.slope == pytest.approx(1, abs=0.1)
    assert line.offset == pytest.approx(-np.log(6), abs=0.2)
    better = on_lines(inflated[:, None], [line])[:, 0]
    assert brier_score_loss(present, better) < brier_score_loss(present, inflated)
    assert abs(better.mean() - present.mean()) < 0.01


def test_too_few_labels_fit_no_line():
    few = np.zeros(100, bool)
    few[:4] = True
    assert fit_line(np.full(100, 0.3), few) == (1.0, 0.0, 0)
    np.testing.assert_allclose(on_lines(np.array([[0.2, 0.7]]), [(1.0, 0.0), (1.0, 0.0)]), [[0.2, 0.7]])
