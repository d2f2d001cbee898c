from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import test_proportions_2indep as two_proportions

from pipeline.scoring.significance import fisher_r_to_z, proportions_z


def test_fisher_by_hand():
    # artanh(.644) = .76515, artanh(.605) = .70107; se = sqrt(2 / 97)
    test = fisher_r_to_z(0.644, 0.605, 100, 100)
    z = (0.5 * np.log(1.644 / 0.356) - 0.5 * np.log(1.605 / 0.395)) / np.sqrt(2 / 97)
    assert test.z == pytest.approx(z)
    assert test.p_one_sided == pytest.approx(1 - stats.norm.cdf(z))
    assert test.p_two_sided == pytest.approx(2 * (1 - stats.norm.cdf(z)))
    assert fisher_r_to_z(0.644, 0.605, 67_509, 67_509).p_two_sided < 1e-30  # frames taken as independent


def test_fisher_interval_agrees_with_scipy():
    rng = np.random.default_rng(0)
    x = rng.normal(size=50)
    result = stats.pearsonr(x, x + rng.normal(size=50))
    low = result.confidence_interval(0.95).low
    # The lower end of scipy's Fisher interval is just significant against the observed correlation itself.
    z = (np.arctanh(result.statistic) - np.arctanh(low)) * np.sqrt(47)
    assert fisher_r_to_z(result.statistic, low, 50, 50).z * np.sqrt(2) == pytest.approx(z)
    assert z == pytest.approx(1.959964, abs=1e-5)


def test_fisher_undefined_and_signs():
    assert np.isnan(fisher_r_to_z(np.nan, 0.5, 100, 100).z)
    assert np.isnan(fisher_r_to_z(0.5, 0.5, 3, 100).z)
    worse = fisher_r_to_z(0.4, 0.5, 100, 100)
    assert worse.z < 0
    assert worse.p_one_sided > 0.5
    assert fisher_r_to_z(0.5, 0.5, 100, 100).p_two_sided == pytest.approx(1)


def test_proportions_by_hand_and_by_chi_square():
    test = proportions_z(0.439, 0.379, 617, 617)
    pooled = (0.439 + 0.379) / 2
    assert test.z == pytest.approx(0.06 / np.sqrt(pooled * (1 - pooled) * 2 / 617))
    table = [[60, 40], [45, 55]]
    chi2 = stats.chi2_contingency(table, correction=False)
    test = proportions_z(0.60, 0.45, 100, 100)
    assert test.z**2 == pytest.approx(chi2.statistic)
    assert test.p_two_sided == pytest.approx(chi2.pvalue)
    assert test.p_one_sided == pytest.approx(chi2.pvalue / 2)
    score = two_proportions(60, 100, 45, 100, method="score", correction=False, alternative="larger")
    assert test.p_one_sided == pytest.approx(score.pvalue, abs=1e-3)


def test_proportions_undefined():
    assert np.isnan(proportions_z(1.0, 1.0, 10, 10).p_one_sided)
    assert np.isnan(proportions_z(0.0, 0.0, 10, 10).p_one_sided)
    assert np.isnan(proportions_z(np.nan, 0.5, 10, 10).p_one_sided)
    assert np.isnan(proportions_z(0.5, 0.5, 0, 0).p_one_sided)
