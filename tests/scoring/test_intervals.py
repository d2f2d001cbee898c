"""Jackknife intervals against scipy, a naive loop, another package, and simulated experiments."""

from __future__ import annotations

import confidence_intervals
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import confusion_matrix

from benchmarks.false_alarms import chosen_on_dev, false_alarms, missed
from benchmarks.null_experiments import SETTINGS, Sizes
from pipeline.scoring.confusions import accuracy_of_confusion, f1_of_confusion, uar_of_confusion
from pipeline.scoring.intervals import difference_interval, jackknife, score_interval
from pipeline.scoring.metrics import ccc, f1_macro_pr, uar
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


def mean_score(statistics):
    return statistics[..., 0] / statistics[..., 1]


def means(values):
    """Return statistics whose score is the mean over units; values: (seeds, units)."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def difference(system, reference, score=ccc_of_moments, confidence=0.95, of="correlation", paired=True):
    return difference_interval(jackknife(system, score), jackknife(reference, score), confidence, of, paired)


def test_of_one_seed_and_a_mean_it_is_students_t_test():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0.1, 0.2, (2, 1, 9))
    found = difference(means(ours), means(theirs), mean_score)
    expected = stats.ttest_rel(ours[0], theirs[0])
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.p, found.t) == (pytest.approx(expected.pvalue), pytest.approx(stats.t.ppf(0.975, 8)))
    assert np.isnan(found.seed_share)


def test_units_that_agree_leave_the_t_test_over_seeds():
    rng = np.random.default_rng(0)
    ours, theirs = (np.tile(rng.normal(size=(5, 1)), 7) * 0.1 for _ in range(2))
    found = difference(means(ours), means(theirs), mean_score)
    expected = stats.ttest_rel(ours[:, 0], theirs[:, 0])
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.t, found.seed_share) == (pytest.approx(stats.t.ppf(0.975, 4)), pytest.approx(1))
    welch = difference(means(ours), means(theirs[:3]), mean_score, paired=False)
    error = np.sqrt(ours[:, 0].var(ddof=1) / 5 + theirs[:3, 0].var(ddof=1) / 3)
    assert welch.error == pytest.approx(error)


def test_standard_error_of_ccc_equals_a_naive_loop(traces):
    gold, better, worse = traces
    found = difference(sums(better, gold), sums(worse, gold), confidence=0.9)

    def score(system, kept):
        return np.mean([ccc(seed[kept].ravel(), gold[kept].ravel()) for seed in system])

    everything = list(range(6))
    left_out = []
    for unit in everything:
        kept = [other for other in everything if other != unit]
        left_out.append(score(better, kept) - score(worse, kept))
    over_units = 5 / 6 * np.sum((left_out - np.mean(left_out)) ** 2)
    by_seed = [score(better[[s]], everything) - score(worse[[s]], everything) for s in range(3)]
    over_seeds = np.var(by_seed, ddof=1) / 3
    assert found.value == pytest.approx(np.mean(by_seed))
    assert found.error == pytest.approx(np.sqrt(over_units + over_seeds))
    assert found.seed_share == pytest.approx(over_seeds / (over_units + over_seeds))
    share = over_seeds / (over_units + over_seeds)
    assert found.t == pytest.approx((1 - share) * stats.t.ppf(0.95, 5) + share * stats.t.ppf(0.95, 2))
    assert found.high - found.value == pytest.approx(found.t * found.error)
    # the p at which the interval would just touch zero
    at_p = difference(sums(better, gold), sums(worse, gold), confidence=1 - found.p)
    assert at_p.low == pytest.approx(0, abs=1e-9)


def test_a_system_does_not_differ_from_itself_and_signs_turn(traces):
    gold, better, worse = traces
    same = difference(sums(better, gold), sums(better, gold))
    assert (same.value, same.low, same.high, same.p) == (0, 0, 0, 1)
    one, other = (
        difference(sums(better, gold), sums(worse, gold)),
        difference(sums(worse, gold), sums(better, gold)),
    )
    assert (other.low, other.high, other.p) == pytest.approx((-one.high, -one.low, one.p))


def test_what_cannot_be_told_is_nan(traces):
    gold, better, worse = traces
    one = difference(sums(better, gold)[:, :1], sums(worse, gold)[:, :1])
    assert one.value > 0
    assert np.isnan([one.low, one.high, one.p]).all()
    constant = np.zeros_like(gold)
    constant[0] = gold[0]
    alone = difference(sums([constant, constant], constant), sums([constant, constant], constant))
    assert np.isnan([alone.low, alone.p]).all()  # without unit 0 there are two equal constants
    level = means(np.full((3, 6), 0.25))
    exact = difference(level, means(np.zeros((3, 6))), mean_score)
    assert exact.value == 0.25
    assert np.isnan([exact.low, exact.high, exact.p]).all()  # no spread at all is no certainty


def test_two_units_and_a_class_that_leaves_with_its_only_speaker():
    """Speaker 0 alone shows class 2: without it the score averages over the other classes."""
    counts = np.zeros((2, 4, 3, 3))
    counts[:, :, 0, 0], counts[:, :, 0, 1], counts[:, :, 1, 1] = 3, 1, 4
    counts[:, 0, 2, 2], counts[1, 1, 0, 1] = 2, 2
    found = score_interval(jackknife(counts, f1_of_confusion), 0.95, "share")
    assert 0 <= found.low < found.value < found.high <= 1
    two = score_interval(jackknife(counts[:, :2], f1_of_confusion), 0.95, "share")
    assert 0 <= two.low < two.high <= 1
    assert two.high - two.low > found.high - found.low


def test_intervals_stay_within_the_range_of_the_score():
    rng = np.random.default_rng(1)
    gold = rng.normal(size=(3, 30))
    noise = np.array([0.02, 0.05, 0.9])[:, None]
    near_one = sums(gold + noise * rng.normal(size=(2, 3, 30)), gold)
    scores = jackknife(near_one, ccc_of_moments)
    found = score_interval(scores, 0.95, "correlation")
    assert -1 < found.low < found.value < found.high < 1
    assert found.value + found.t * found.error > 1
    perfect = score_interval(jackknife(sums([gold, gold], gold), ccc_of_moments), 0.95, "correlation")
    assert perfect[:3] == pytest.approx((1, 1, 1)) or np.isnan(perfect.low)
    wide = difference(near_one, sums([-g for g in gold[None]], gold)[[0, 0]])
    assert -2 <= wide.low <= wide.high <= 2


def test_scores_of_confusions_equal_those_of_predictions():
    rng = np.random.default_rng(2)
    gold, prediction = rng.integers(0, 4, 100), rng.integers(0, 5, 100)
    labels = list(range(5))
    counts = confusion_matrix(gold, prediction, labels=labels).astype(float)
    assert f1_of_confusion(counts) == pytest.approx(f1_macro_pr(prediction, gold))
    assert uar_of_confusion(counts) == pytest.approx(uar(prediction, gold))
    assert accuracy_of_confusion(counts) == pytest.approx(np.mean(gold == prediction))
    only_two = np.isin(gold, (1, 2))
    counts = confusion_matrix(gold[only_two], prediction[only_two], labels=labels).astype(float)
    both = f1_of_confusion(np.stack([counts, np.diag([0.0, 3, 0, 5, 0])]))
    assert both == pytest.approx([f1_macro_pr(prediction[only_two], gold[only_two]), 1.0])
    assert np.isnan(f1_of_confusion(np.zeros((3, 3))))
    assert np.isnan(uar_of_confusion(np.zeros((3, 3))))
    assert f1_of_confusion(np.array([[0.0, 2.0], [1.0, 0.0]])) == 0


BOOTSTRAPS = 500


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ccc", "accuracy"])
def test_one_score_agrees_with_the_package_confidence_intervals(kind):
    """Its bootstrap draws speakers, then their rows: with many of both an estimate of the same.

    A quantile of B draws has a standard error of sqrt(q (1 - q) / B) / density(q): .12 standard errors of the
    score for B = 500, q = .025. The second draw, of rows, widens theirs by 3 % at most, Student's t with 80
    speakers ours by 2 %.
    """
    rng = np.random.default_rng(5)
    speakers, rows = 80, 50
    of_speaker = np.repeat(np.arange(speakers), rows)
    if kind == "ccc":
        gold = rng.normal(size=(speakers, rows))
        prediction = 0.7 * gold + 0.5 * rng.normal(size=(speakers, 1)) + 0.3 * rng.normal(size=gold.shape)
        scores = jackknife(sums(prediction[None], gold), ccc_of_moments)
        found = score_interval(scores, 0.95, "correlation")
        labels, samples, metric = gold.ravel(), prediction.ravel(), lambda g, p: ccc(p, g)
    else:
        share = rng.uniform(0.3, 0.95, (speakers, 1))
        right = (rng.random((speakers, rows)) < share).astype(float)
        counts = np.zeros((1, speakers, 2, 2))
        counts[0, :, 0, 0], counts[0, :, 0, 1] = right.sum(1), rows - right.sum(1)
        found = score_interval(jackknife(counts, accuracy_of_confusion), 0.95, "share")
        labels, samples, metric = np.ones(right.size), right.ravel(), lambda g, p: float(np.mean(g == p))
    value, theirs = confidence_intervals.evaluate_with_conf_int(
        samples, metric, labels, conditions=of_speaker, num_bootstraps=BOOTSTRAPS
    )
    assert found.value == pytest.approx(value)
    error_of_quantile = np.sqrt(0.025 * 0.975 / BOOTSTRAPS) / stats.norm.pdf(stats.norm.ppf(0.025))
    tolerance = (3 * error_of_quantile + 0.04 * stats.norm.ppf(0.975)) * found.error
    assert (found.low, found.high) == pytest.approx(theirs, abs=tolerance)


def most(rate: float, experiments: int) -> float:
    """Return what a rate stays below in all but 1 of 1,000 runs of so many experiments."""
    return float(stats.binom.ppf(0.999, experiments, rate) / experiments)


@pytest.mark.parametrize("kind", ["CCC", "F1"])
@pytest.mark.parametrize("setting", ["balanced", "seeds", "units and seeds"])
def test_few_false_alarms(kind, setting):
    """As benchmarks/false_alarms.py, where all are at most .06; those of other tests are not."""
    found = false_alarms(kind, Sizes(9, 3, SETTINGS[setting]), 300)
    assert found["interval"] <= most(0.05, 300)
    assert found["bootstrap"] > found["interval"]
    if kind == "CCC":
        assert found["paper, two-sided"] > 0.4


def test_what_is_there_is_found():
    assert false_alarms("F1", Sizes(27, 12, SETTINGS["balanced"], better=0.5), 60)["interval"] > 0.6


def test_the_interval_of_one_score_holds_the_true_one():
    found = missed(Sizes(9, 5, SETTINGS["balanced"]), 300)
    assert found["artanh"] <= most(0.06, 300)


def test_nothing_is_gained_by_choosing_where_others_choose():
    """Seeds differ most: with the unit alone left out most of the advantage stays."""
    found = chosen_on_dev(Sizes(9, 3, SETTINGS["seeds"]), 9, 150)
    assert found["all, gain"] > 0.03
    assert found["units, gain"] > 0.02
    assert abs(found["units and seeds, gain"]) < 0.02
    assert found["units and seeds"] <= most(0.05, 150)
