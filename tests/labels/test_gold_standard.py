from __future__ import annotations

import audmetric
import numpy as np
import pytest

from pipeline.labels.gold_standard import ccc_matrix, fuse, rater_weights


def test_ccc_matrix_equals_audmetric_pair_by_pair():
    rng = np.random.default_rng(0)
    ratings = np.cumsum(rng.normal(size=(6, 500)), axis=1) * 0.02 + rng.normal(size=(6, 1)) * 0.1
    matrix = ccc_matrix(ratings)
    for row in range(6):
        for column in range(6):
            assert matrix[row, column] == pytest.approx(
                audmetric.concordance_cc(ratings[row], ratings[column]), abs=1e-12
            )
    np.testing.assert_allclose(np.diag(matrix), 1)


def test_hand_example_divides_by_n():
    # [0, 1, 2] against [0, 1, 1]: population moments give 2/3, n - 1 would give .6923.
    assert ccc_matrix(np.array([[0.0, 1, 2], [0, 1, 1]]))[0, 1] == pytest.approx(2 / 3)


def test_weights_are_the_mean_ccc_with_the_others():
    ratings = np.array([[0.0, 1, 2], [0, 1, 1], [0, 1, 2]])
    # Rater 1 agrees 2/3 and 1, rater 2 agrees 2/3 twice, rater 3 as rater 1.
    expected = np.array([5 / 6, 4 / 6, 5 / 6]) / (14 / 6)
    np.testing.assert_allclose(rater_weights(ratings), expected)
    gold, weights = fuse(ratings)
    np.testing.assert_allclose(weights, expected)
    np.testing.assert_allclose(gold, [0, 1, (2 * 10 + 4) / 14])


def test_weights_equal_a_naive_loop():
    rng = np.random.default_rng(1)
    common = np.cumsum(rng.normal(size=400))
    ratings = common + rng.normal(size=(5, 400)) * np.arange(1, 6)[:, None]
    naive = [
        np.mean([audmetric.concordance_cc(ratings[one], ratings[two]) for two in range(5) if two != one])
        for one in range(5)
    ]
    np.testing.assert_allclose(rater_weights(ratings), np.array(naive) / np.sum(naive))


def test_a_rater_who_contradicts_the_others_counts_nothing():
    time = np.linspace(0, 6, 100)
    weights = rater_weights(np.stack([np.sin(time), np.sin(time), -np.sin(time)]))
    np.testing.assert_allclose(weights, [0.5, 0.5, 0], atol=1e-12)


def test_a_constant_rater_counts_nothing():
    time = np.linspace(0, 6, 100)
    weights = rater_weights(np.stack([np.sin(time), 0.9 * np.sin(time), np.zeros(100)]))
    assert weights[2] == 0


def test_raters_without_any_agreement_count_the_same():
    np.testing.assert_allclose(rater_weights(np.ones((4, 10))), 0.25)


def test_one_rater_is_the_gold_standard():
    gold, weights = fuse(np.array([[0.1, 0.2, 0.4]]))
    np.testing.assert_array_equal(gold, [0.1, 0.2, 0.4])
    np.testing.assert_array_equal(weights, [1])


@pytest.mark.parametrize(
    "ratings", [np.zeros((0, 3)), np.zeros((2, 0)), np.array([[0.0, np.nan]]), np.zeros(3)]
)
def test_unusable_ratings_are_refused(ratings):
    with pytest.raises(ValueError, match=r"expected finite numbers \(raters, frames\)"):
        fuse(ratings)
