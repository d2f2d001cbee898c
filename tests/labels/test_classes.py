from __future__ import annotations

import numpy as np
import pytest

from pipeline.labels.classes import classes_of, fit_thresholds

LABELS = np.array([0.4, -0.2, 0.1, 0.3, -0.1, 0.2])


@pytest.mark.parametrize(
    ("rule", "thresholds", "classes"),
    [
        ("median", (0.15,), [1, 0, 0, 1, 0, 1]),
        ("sign", (0.0,), [1, 0, 1, 1, 0, 1]),
        ("tertiles", (0.1 - 0.2 / 3, 0.2 + 0.1 / 3), [2, 0, 1, 2, 0, 1]),
        ((-0.15, 0.1, 0.35), (-0.15, 0.1, 0.35), [3, 0, 2, 2, 1, 2]),
    ],
)
def test_thresholds_and_classes_by_hand(rule, thresholds, classes):
    fitted = fit_thresholds(LABELS, rule)
    np.testing.assert_allclose(fitted, thresholds)
    np.testing.assert_array_equal(classes_of(LABELS, fitted), classes)


def test_tertiles_split_evenly():
    labels = np.random.default_rng(0).normal(size=3000)
    assert np.bincount(classes_of(labels, fit_thresholds(labels, "tertiles"))).tolist() == [1000, 1000, 1000]


def test_a_label_on_a_threshold_belongs_above_it():
    np.testing.assert_array_equal(classes_of(np.array([-1e-9, 0.0, 1e-9]), (0.0,)), [0, 1, 1])


@pytest.mark.parametrize(
    ("labels", "rule", "message"),
    [
        (np.zeros(0), "median", "no labels in train"),
        (LABELS, (), "one or more, rising"),
        (LABELS, (0.2, 0.1), r"thresholds \[0.2, 0.1\]"),
        (LABELS, "quartiles", "expected median, sign, tertiles"),
    ],
)
def test_what_cannot_be_fitted_is_refused(labels, rule, message):
    with pytest.raises(ValueError, match=message):
        fit_thresholds(labels, rule)
