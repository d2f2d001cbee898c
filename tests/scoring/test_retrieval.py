from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from pipeline.scoring.retrieval import retrieval


def test_by_hand():
    queries, candidates = np.array([[0.0], [10.0]]), np.array([[0.1], [0.2], [9.0], [11.0]])
    score = retrieval(queries, candidates, ["a", "b"], ["a", "b", "b", "b"], neighbours=2)
    # Query a: neighbours a, b; query b: neighbours b, b.
    assert score.precision == pytest.approx((1 / 2 + 2 / 2) / 2)
    assert score.chance == pytest.approx((1 / 4 + 3 / 4) / 2)
    assert (score.queries, score.neighbours) == (2, 2)


def test_equals_scikit_learn():
    rng = np.random.default_rng(0)
    queries, candidates = rng.normal(size=(700, 5)), rng.normal(size=(300, 5))
    a, b = rng.integers(0, 4, 700), rng.integers(0, 4, 300)
    _, nearest = NearestNeighbors(n_neighbors=10).fit(candidates).kneighbors(queries)
    assert retrieval(queries, candidates, a, b).precision == pytest.approx((b[nearest] == a[:, None]).mean())


def test_random_embeddings_are_at_chance_and_perfect_ones_at_one():
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 7, 400)
    score = retrieval(rng.normal(size=(400, 8)), rng.normal(size=(400, 8)), classes, classes)
    assert score.precision == pytest.approx(score.chance, abs=0.02)
    assert retrieval(np.eye(7)[classes], np.eye(7)[classes], classes, classes).precision == 1


def test_a_query_does_not_see_its_own_group():
    queries = np.array([[0.0], [1.0]])
    score = retrieval(queries, queries, [0, 0], [0, 1], ["x", "y"], ["x", "y"], neighbours=1)
    # Query x may only see candidate y (class 1, wrong); query y only x (class 0, right).
    assert score.precision == pytest.approx(0.5)
    assert score.chance == pytest.approx(0.5)
    alone = retrieval(queries, queries, [0, 0], [0, 0], ["x", "x"], ["x", "x"])
    assert alone.queries == 0
    assert np.isnan(alone.precision)


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="as many classes"):
        retrieval(np.zeros((2, 1)), np.zeros((2, 1)), [0], [0, 1])
    with pytest.raises(ValueError, match="both sides"):
        retrieval(np.zeros((1, 1)), np.zeros((1, 1)), [0], [0], ["x"])
    with pytest.raises(ValueError, match="at least 1"):
        retrieval(np.zeros((1, 1)), np.zeros((1, 1)), [0], [0], neighbours=0)
