from __future__ import annotations

import numpy as np
import pytest
from scipy import special, stats
from sklearn.neighbors import NearestNeighbors

from pipeline.scoring.retrieval import interval_over_groups, retrieval


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


@pytest.mark.parametrize("neighbours", [1, 4, 29, 30, 99])
def test_ties_go_to_the_earlier_candidate_as_in_a_stable_sort(neighbours):
    rng = np.random.default_rng(4)
    queries, candidates = rng.integers(0, 3, (40, 2)).astype(float), rng.integers(0, 3, (30, 2)).astype(float)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 3, 30)
    one, other = rng.integers(0, 4, 40), rng.integers(0, 4, 30)
    expected = []
    for query, kind, group in zip(queries, a, one, strict=True):
        seen = [i for i in range(30) if other[i] != group]
        nearest = sorted(seen, key=lambda i: np.linalg.norm(candidates[i] - query))[:neighbours]
        expected.append(np.mean([b[i] == kind for i in nearest]))
    found = retrieval(queries, candidates, a, b, one, other, neighbours)
    np.testing.assert_allclose(found.of_query, expected)


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


def test_interval_over_speakers_is_students_of_their_means():
    """Speakers with as many queries each: the mean over queries is that over speakers. One seed."""
    rng = np.random.default_rng(3)
    of_query = np.repeat(rng.normal(0.5, 0.1, 12), 20) + rng.normal(0, 0.05, 240)
    groups = np.repeat(np.arange(12), 20)
    means = of_query.reshape(12, 20).mean(1)
    plain = stats.t.interval(0.95, 11, means.mean(), stats.sem(means))
    half = (plain[1] - plain[0]) / 2 / (means.mean() * (1 - means.mean()))  # for the logit: delta method
    expected = special.expit(special.logit(means.mean()) + np.array([-half, half]))
    found = interval_over_groups(of_query[None], groups, 0.95)
    assert found == pytest.approx(tuple(expected))
    # queries alone would look far more certain
    assert found[1] - found[0] > 2 * 1.96 * of_query.std() / np.sqrt(240)
    holed = np.append(of_query, np.nan)
    assert interval_over_groups(holed[None], np.append(groups, 99), 0.95) == found
    assert np.isnan(interval_over_groups(of_query[None, :20], groups[:20], 0.95)).all()


def test_seeds_that_differ_make_the_interval_wider():
    rng = np.random.default_rng(5)
    one, groups = rng.uniform(0.3, 0.5, 60), np.repeat(np.arange(6), 10)
    same = interval_over_groups(np.stack([one] * 3), groups, 0.95)
    differing = interval_over_groups(np.stack([one - 0.1, one, one + 0.1]), groups, 0.95)
    assert same == pytest.approx(interval_over_groups(one[None], groups, 0.95))
    assert differing[1] - differing[0] > 1.5 * (same[1] - same[0])


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match="as many classes"):
        retrieval(np.zeros((2, 1)), np.zeros((2, 1)), [0], [0, 1])
    with pytest.raises(ValueError, match="both sides"):
        retrieval(np.zeros((1, 1)), np.zeros((1, 1)), [0], [0], ["x"])
    with pytest.raises(ValueError, match="at least 1"):
        retrieval(np.zeros((1, 1)), np.zeros((1, 1)), [0], [0], neighbours=0)
