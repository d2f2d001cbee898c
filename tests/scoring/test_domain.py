from __future__ import annotations

import numpy as np
import pytest

from pipeline.learning.scaling import Scaler, Values
from pipeline.scoring.domain import limits_of, reference_of, share_beyond


def recordings(seed: int, count: int, frames: int = 200):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(frames, 6)).astype(np.float32) * [1, 5, 0.1, 1, 1, 0] for _ in range(count)]


def test_the_share_is_that_of_a_naive_loop_over_raw_features():
    """Scaling is monotone in each feature, whichever method."""
    train, own = recordings(0, 8), recordings(1, 1)[0] + [0, 8, 0, 0, 1, 0]
    own[3, 2] = np.nan
    valid = np.random.default_rng(2).random(200) < 0.8
    every = np.concatenate(train)
    beyond = 0
    for row in own[valid]:
        for feature, value in enumerate(row[:5]):  # the sixth is constant
            low, high = np.percentile(every[:, feature], [1, 99])
            beyond += bool(value < low or value > high)
    everywhere = np.ones(200, bool)
    for method in ("standard", "rank_gauss"):
        scaler = Scaler.fit([Values(rows.astype(np.float32), everywhere) for rows in train], method)
        scaled = [(scaler.apply(Values(rows.astype(np.float32), everywhere)), everywhere) for rows in train]
        limits = limits_of(scaled)
        found = share_beyond(scaler.apply(Values(own.astype(np.float32), valid)), valid, limits)
        assert found == pytest.approx(beyond / (6 * valid.sum()), abs=2e-3)
    assert 0.05 < found < 0.5


def test_two_percent_of_train_are_beyond_and_none_of_a_constant_feature():
    scaled = [(rows, np.ones(len(rows), bool)) for rows in recordings(3, 50)]
    limits = limits_of(scaled)
    shares = [share_beyond(values, valid, limits) for values, valid in scaled]
    assert np.mean(shares) == pytest.approx(0.02 * 5 / 6, abs=1e-3)


def test_rows_that_are_not_valid_take_no_part():
    values = np.zeros((10, 3), np.float32)
    valid = np.arange(10) < 5
    values[5:] = 100.0
    limits = limits_of([(values, valid)])
    assert limits.upper.tolist() == [0, 0, 0]
    assert share_beyond(values, valid, limits) == 0.0
    assert share_beyond(values, ~valid, limits) == 1.0
    assert np.isnan(share_beyond(values, np.zeros(10, bool), limits))
    with pytest.raises(ValueError, match="no valid row"):
        limits_of([(values, np.zeros(10, bool))])


@pytest.mark.parametrize("count", [1, 6, 18, 19, 40, 84])
def test_one_more_recording_like_those_of_dev_is_an_alarm_as_often_as_said(count):
    rng = np.random.default_rng(count)
    drawn = rng.gamma(2.0, 0.01, (4000, count + 1))
    alarms = np.mean([own[-1] > reference_of(own[:-1]).limit for own in drawn])
    said = reference_of(drawn[0, :-1]).alarms
    assert said == pytest.approx(max(1 / (count + 1), 0.05), abs=0.015 if count > 18 else 1e-9)
    assert alarms == pytest.approx(said, abs=4 * np.sqrt(said * (1 - said) / 4000))


def test_without_dev_nothing_is_out_of_domain():
    assert reference_of([]).limit == np.inf
    assert reference_of([np.nan, 0.1]).shares == (0.1,)
