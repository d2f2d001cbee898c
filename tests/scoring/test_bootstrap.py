from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix

from pipeline.scoring.bootstrap import bootstrap_difference, f1_of_confusion
from pipeline.scoring.metrics import ccc, f1_macro_pr
from pipeline.scoring.moments import ccc_of_moments, moments


@pytest.fixture
def traces():
    """Gold standard (units, frames) and the predictions of two systems, (seeds, units, frames)."""
    rng = np.random.default_rng(0)
    gold = rng.normal(size=(6, 40))
    better = gold + 0.5 * rng.normal(size=(3, 6, 40))
    worse = gold + 1.5 * rng.normal(size=(3, 6, 40))
    return gold, better, worse


def sums(prediction, gold):
    return np.stack([[moments(p, g) for p, g in zip(seed, gold, strict=True)] for seed in prediction])


def test_interval_equals_a_naive_loop(traces):
    gold, better, worse = traces
    interval = bootstrap_difference(sums(better, gold), sums(worse, gold), ccc_of_moments, 200, 0.9, 7)
    rng = np.random.default_rng(7)
    draws = rng.multinomial(6, np.full(6, 1 / 6), 200)
    drawn_seeds = rng.multinomial(3, np.full(3, 1 / 3), 200)
    naive = []
    for times, seeds in zip(draws, drawn_seeds, strict=True):
        chosen = np.repeat(np.arange(6), times)
        of = [
            np.mean(
                [ccc(system[s][chosen].ravel(), gold[chosen].ravel()) for s in np.repeat(range(3), seeds)]
            )
            for system in (better, worse)
        ]
        naive.append(of[0] - of[1])
    assert interval.low == pytest.approx(np.quantile(naive, 0.05))
    assert interval.high == pytest.approx(np.quantile(naive, 0.95))
    expected = np.mean([ccc(seed.ravel(), gold.ravel()) for seed in better]) - np.mean(
        [ccc(seed.ravel(), gold.ravel()) for seed in worse]
    )
    assert interval.difference == pytest.approx(expected)
    assert interval.p == 2 / 2**6  # all six units agree: chance does that twice in 64


def test_a_system_does_not_differ_from_itself(traces):
    gold, better, _ = traces
    same = bootstrap_difference(sums(better, gold), sums(better, gold), ccc_of_moments, 100, 0.95, 0)
    assert same == (0, 0, 0, 1)


def test_seeded_and_antisymmetric(traces):
    gold, better, worse = traces
    one = bootstrap_difference(sums(better, gold), sums(worse, gold), ccc_of_moments, 300, 0.95, 1)
    again = bootstrap_difference(sums(better, gold), sums(worse, gold), ccc_of_moments, 300, 0.95, 1)
    mirrored = bootstrap_difference(sums(worse, gold), sums(better, gold), ccc_of_moments, 300, 0.95, 1)
    assert one == again
    assert mirrored.low == pytest.approx(-one.high)
    assert mirrored.p == one.p


def test_width_agrees_with_scipy():
    # A statistic that is a mean over units: accuracy-like sums, against scipy's own bootstrap.
    rng = np.random.default_rng(0)
    values = rng.normal(0.3, 1, 40)
    statistics = np.stack([values, np.ones(40)], axis=-1)[None]  # (1, units, 2)
    zero = np.stack([np.zeros(40), np.ones(40)], axis=-1)[None]
    ours = bootstrap_difference(statistics, zero, lambda s: s[..., 0] / s[..., 1], 5000, 0.95, 0)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=1
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_one_unit_has_no_interval(traces):
    gold, better, worse = traces
    interval = bootstrap_difference(
        sums(better, gold)[:, :1], sums(worse, gold)[:, :1], ccc_of_moments, 100, 0.95, 0
    )
    assert np.isnan([interval.low, interval.high, interval.p]).all()
    assert interval.difference > 0


def test_six_seeds_of_six_sums_are_not_taken_for_confusion_counts(traces):
    gold, better, worse = traces
    six = np.concatenate([sums(better, gold)] * 2)
    interval = bootstrap_difference(six, sums(worse, gold), ccc_of_moments, 100, 0.95, 0)
    assert interval.difference == pytest.approx(
        bootstrap_difference(sums(better, gold), sums(worse, gold), ccc_of_moments, 100, 0.95, 0).difference
    )


def test_f1_of_confusion_equals_f1_macro_pr():
    rng = np.random.default_rng(2)
    gold, prediction = rng.integers(0, 4, 100), rng.integers(0, 5, 100)
    labels = list(range(5))
    counts = confusion_matrix(gold, prediction, labels=labels).astype(float)
    assert f1_of_confusion(counts) == pytest.approx(f1_macro_pr(prediction, gold))
    only_two = np.isin(gold, (1, 2))
    counts = confusion_matrix(gold[only_two], prediction[only_two], labels=labels).astype(float)
    both = f1_of_confusion(np.stack([counts, np.diag([0.0, 3, 0, 5, 0])]))
    assert both == pytest.approx([f1_macro_pr(prediction[only_two], gold[only_two]), 1.0])
    assert np.isnan(f1_of_confusion(np.zeros((3, 3))))
    assert f1_of_confusion(np.array([[0.0, 2.0], [1.0, 0.0]])) == 0


def test_a_difference_that_one_seed_alone_makes_is_not_established():
    """Recordings agree, seeds do not: one lucky run of three must not give an interval above zero."""
    rng = np.random.default_rng(4)
    gold = rng.normal(size=(12, 50))
    reference = np.stack([gold + rng.normal(size=gold.shape)] * 3)
    system = reference.copy()
    system[0] = gold + 0.3 * rng.normal(size=gold.shape)
    interval = bootstrap_difference(sums(system, gold), sums(reference, gold), ccc_of_moments, 1000, 0.95, 0)
    assert interval.difference > 0.05
    assert interval.low == 0
    assert interval.p > 0.2
