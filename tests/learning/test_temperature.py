from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from pipeline.learning.temperature import BOUNDS, FEWEST, calibrated, fit_temperature


class Given(ClassifierMixin, BaseEstimator):
    """A classifier whose probabilities are its features."""

    def __init__(self, classes: int = 2) -> None:
        self.classes = classes

    def fit(self, X, y):
        self.classes_ = np.arange(self.classes)
        return self

    def predict_proba(self, X):
        return X

    def predict(self, X):
        return X.argmax(axis=1)


def drawn(seed: int, utterances: int, classes: int, temperature: float):
    """Probabilities whose right temperature is known, and classes drawn with the right probabilities."""
    rng = np.random.default_rng(seed)
    right = softmax(2.5 * rng.standard_normal((utterances, classes)), axis=1)
    gold = (right.cumsum(axis=1) > rng.random((utterances, 1))).argmax(axis=1)
    return softmax(temperature * np.log(right), axis=1), gold


@pytest.mark.parametrize(("classes", "temperature"), [(2, 0.5), (3, 1.0), (7, 1.8), (7, 3.0)])
def test_the_temperature_is_that_of_scikit_learn_and_of_a_naive_grid(classes, temperature):
    probabilities, gold = drawn(classes, 150, classes, temperature)
    found = fit_temperature(probabilities, gold)
    assert found.utterances == 150
    model = CalibratedClassifierCV(FrozenEstimator(Given(classes).fit(None, None)), method="temperature")
    theirs = model.fit(probabilities, gold).predict_proba(probabilities)
    assert np.abs(calibrated(probabilities, found.value) - theirs).max() < 1e-4

    def likelihood(value):
        powers = probabilities ** (1 / value)
        return np.log((powers / powers.sum(axis=1, keepdims=True))[np.arange(150), gold]).sum()

    grid = np.exp(np.arange(np.log(0.3), np.log(4.0), 0.01))
    best = grid[np.argmax([likelihood(value) for value in grid])]
    assert found.value == pytest.approx(best, rel=0.01)


def test_the_temperature_that_made_them_overconfident_is_found_again():
    found = fit_temperature(*drawn(0, 20_000, 7, 2.0))
    assert found.value == pytest.approx(2.0, rel=0.03)


def test_a_temperature_changes_no_named_class_and_probabilities_add_up():
    rng = np.random.default_rng(1)
    probabilities = rng.dirichlet(np.full(7, 0.3), 2000).astype(np.float32)
    probabilities[:50] = 0.0
    probabilities[np.arange(50), rng.integers(0, 7, 50)] = 1.0  # a forest that is certain
    for temperature in (*BOUNDS, 0.3, 1.0, 2.5):
        found = calibrated(probabilities, temperature)
        assert found.sum(axis=1) == pytest.approx(1.0)
        assert (found.argmax(axis=1) == probabilities.argmax(axis=1)).all()
        assert np.isfinite(found).all()


def test_a_class_that_dev_lacks_and_zeros_of_a_forest_are_no_obstacle():
    probabilities, gold = drawn(2, 200, 7, 1.5)
    seen = gold != 3
    found = fit_temperature(probabilities[seen], gold[seen])
    assert found.value == pytest.approx(1.5, rel=0.25)
    probabilities[::9] = np.eye(7)[gold[::9] - 1]  # certain, and wrong
    found = fit_temperature(probabilities, gold)
    assert 1.5 < found.value < BOUNDS[1]


def test_few_utterances_leave_probabilities_as_they_are_and_perfect_ones_stop_short_of_certainty():
    probabilities, gold = drawn(3, FEWEST - 1, 7, 2.0)
    assert fit_temperature(probabilities, gold) == (1.0, 0)
    assert np.abs(calibrated(probabilities, 1.0) - probabilities).max() < 1e-4
    certain = np.full((40, 7), 0.05) + 0.65 * np.eye(7)[np.arange(40) % 7]
    found = fit_temperature(certain, np.arange(40) % 7)
    confidence = calibrated(certain, found.value).max(axis=1)
    assert confidence == pytest.approx(41 / 42, abs=1e-4)


def test_softmax_of_distances_becomes_that_of_distances_over_the_temperature():
    distances = np.random.default_rng(4).normal(size=(30, 5))
    found = calibrated(softmax(distances, axis=1), 0.4)
    assert found == pytest.approx(softmax(distances / 0.4, axis=1))
