from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from benchmarks.coverage import KINDS, covered_by, errors
from pipeline.scoring.conformal import quantile_of_units, reach


def naive_conformal(sizes, level=0.9):
    """The weighted quantile written down: sort all sizes, add weights until the level is reached."""
    points = sorted((size, 1 / ((len(sizes) + 1) * len(own))) for own in sizes for size in own)
    total = 0.0
    for size, weight in points:
        total += weight
        if total >= level - 1e-9:
            return size
    return np.inf


@pytest.mark.parametrize("units", [18, 20, 30, 101])
def test_with_many_units_it_is_the_conformal_quantile_of_groups(units):
    rng = np.random.default_rng(units)
    own = [rng.normal(size=int(frames)) for frames in rng.integers(1, 60, units)]
    found = reach(own)
    assert found.rule == "conformal"
    assert found.units == units
    assert found.value == naive_conformal([np.abs(part) for part in own])


def test_single_frames_give_plain_split_conformal_prediction():
    """The ceil(.9 (n + 1))-th smallest of n scores."""
    scores = np.random.default_rng(0).normal(size=99)
    found = reach([np.array([score]) for score in scores])
    assert found.value == np.sort(np.abs(scores))[90 - 1]


def test_units_count_alike_however_many_frames_they_have():
    assert quantile_of_units([np.array([1.0] * 1000), np.array([5.0])], 0.5) == 1.0
    assert quantile_of_units([np.array([1.0] * 1000), np.array([5.0])], 0.6) == 5.0


@pytest.mark.parametrize("units", [3, 6, 9, 17])
def test_with_few_units_it_is_the_pooled_quantile_times_students_t(units):
    """Units that differ like squares of single normal numbers have n degrees of freedom."""
    rng = np.random.default_rng(units)
    alike = [rng.normal(size=4000) for _ in range(units)]
    found = reach(alike)
    assert found.rule == "widened"
    squares = np.array([np.mean(own**2) for own in alike])
    variance = ((units - 1) * squares.var(ddof=1) + 2 * 2 * squares.mean() ** 2) / (units + 1)
    freedom = 2 * units * squares.mean() ** 2 / variance
    every = np.sort(np.abs(np.concatenate(alike)))
    plain = every[int(np.ceil(0.9 * len(every))) - 1]
    assert found.value == pytest.approx(plain * t.ppf(0.95, freedom) / norm.ppf(0.95))
    assert found.value > plain


def test_too_few_units_have_no_interval_and_scale_is_kept():
    rng = np.random.default_rng(1)
    own = [rng.normal(size=50) for _ in range(4)]
    assert np.isnan(reach(own[:2]).value)
    assert reach(own[:2]).rule == "none"
    assert reach([]).rule == "none"
    assert reach([*own[:2], np.zeros(0)]).units == 2
    assert reach([3 * part for part in own]).value == pytest.approx(3 * reach(own).value)
    assert reach([-part for part in own]).value == reach(own).value
    assert reach([np.zeros(5)] * 3).value == 0.0
    with pytest.raises(ValueError, match="not finite"):
        reach([np.array([np.nan])] * 4)


@pytest.mark.parametrize("kind", ["within", "half", "scales"])
@pytest.mark.parametrize("units", [3, 6, 12, 20])
def test_simulated_coverage_of_recordings_never_seen(kind, units):
    """From 3 units on within .03 of 90 %; with the guarantee never below it (2 standard errors: .012)."""
    rng = np.random.default_rng(units)
    covered = [
        covered_by(reach(list(drawn)).value, KINDS[kind], rng)
        for drawn in (errors(rng, units, 60, KINDS[kind]) for _ in range(250))
    ]
    lowest = 0.888 if units >= 18 else 0.87
    assert lowest < np.mean(covered) < 0.96
