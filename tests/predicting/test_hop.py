"""A trace on another hop, held against naive loops."""

import numpy as np
import pytest

from pipeline.predicting.block import FLAG, NUMBER, Column
from pipeline.predicting.hop import on_hop


def columns(count, seed=0):
    rng = np.random.default_rng(seed)
    return {"arousal": Column(NUMBER, rng.normal(size=count)), "valid": Column(FLAG, rng.random(count) < 0.6)}


@pytest.mark.parametrize(("hop", "wanted"), [(0.04, 0.4), (0.04, 0.05), (0.4, 1.0), (0.1, 0.7), (0.04, 4.0)])
@pytest.mark.parametrize("count", [1, 2, 7, 101])
def test_a_coarser_hop_has_the_mean_of_the_rows_around_each_time(hop, wanted, count):
    given = columns(count)
    found = on_hop(given, hop, wanted)
    times = [j * wanted for j in range(1000) if j * wanted <= (count - 1) * hop + 1e-9]
    for j, time in enumerate(times):
        own = [k for k in range(count) if time - wanted / 2 - 1e-9 <= k * hop < time + wanted / 2 - 1e-9]
        assert found["arousal"].values[j] == pytest.approx(given["arousal"].values[own].mean())
        assert found["valid"].values[j] == (given["valid"].values[own].mean() >= 0.5)
    assert len(found["arousal"].values) == len(found["valid"].values) == len(times)


@pytest.mark.parametrize(("hop", "wanted"), [(0.4, 0.04), (0.4, 0.3), (1.0, 0.1)])
def test_a_finer_hop_is_linear_between_the_rows(hop, wanted):
    given = columns(9)
    found = on_hop(given, hop, wanted)
    for j, value in enumerate(found["arousal"].values):
        before, part = divmod(j * wanted / hop + 1e-9, 1)
        k, after = int(before), min(int(before) + 1, 8)
        expected = given["arousal"].values[k] * (1 - part) + given["arousal"].values[after] * part
        assert value == pytest.approx(expected, abs=1e-6)
    assert len(found["arousal"].values) == int(8 * hop / wanted + 1e-9) + 1


def test_the_same_hop_changes_nothing_and_a_constant_stays_one():
    given = columns(50)
    assert on_hop(given, 0.04, 0.04) == given
    constant = {
        "arousal.low": Column(NUMBER, np.full(50, -np.inf)),
        "out_of_domain": Column(NUMBER, np.full(50, 0.2)),
    }
    for wanted in (0.01, 0.3):
        found = on_hop(constant, 0.04, wanted)
        np.testing.assert_allclose(found["out_of_domain"].values, 0.2)
    assert np.isneginf(on_hop(constant, 0.04, 0.3)["arousal.low"].values).all()


def test_a_value_that_is_missing_spoils_no_other_row():
    values = np.ones(20)
    values[3] = np.nan
    found = on_hop({"x": Column(NUMBER, values)}, 0.1, 0.2)["x"].values
    assert np.isnan(found).sum() == 1
