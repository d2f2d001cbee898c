from __future__ import annotations

import numpy as np
import pytest

from pipeline.scoring.metrics import ccc
from pipeline.scoring.moments import ccc_of_moments, moments


def test_sums_of_recordings_give_the_ccc_of_all():
    rng = np.random.default_rng(0)
    gold = rng.normal(size=300)
    gold[5:50] = np.nan
    prediction = rng.normal(size=300) + np.nan_to_num(gold)
    sums = moments(prediction[:100], gold[:100]) + moments(prediction[100:], gold[100:])
    assert ccc_of_moments(sums) == pytest.approx(ccc(prediction, gold), abs=1e-12)
    gain, offset = np.array([0.5, 2.0]), np.array([0.1, -3.0])
    expected = [ccc(a * prediction + b, gold) for a, b in zip(gain, offset, strict=True)]
    assert ccc_of_moments(sums, gain, offset) == pytest.approx(expected, abs=1e-12)


def test_undefined_as_in_ccc():
    assert np.isnan(ccc_of_moments(np.zeros(6)))
    assert np.isnan(ccc_of_moments(moments([1.0, 1.0], [1.0, 1.0])))
    assert np.isnan(ccc_of_moments(moments([1.0], [1.0])))
    assert ccc_of_moments(moments([2.0, 2.0], [1.0, 3.0])) == 0
