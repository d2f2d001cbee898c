"""The classic system has as many settings to choose from as EmoBed, and each is what it says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.learning.system import Variant
from pipeline.learning.systems.emobed.classic_settings import classic_settings
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.learner import EmoBed
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.training import unit_keys
from tests.learning.synthetic import learning
from tests.learning.systems.emobed.test_training import data


@pytest.mark.parametrize("decay", [0.0, 1e-4])
@pytest.mark.parametrize("weights", [1, 2, 3, 7])
def test_as_many_as_emobed_has_each_once_and_the_shared_one_first(weights, decay):
    grid = [0.0, *np.linspace(0.1, 1, weights).tolist()]
    settings = learning(alpha=grid, beta=grid, optimiser={"learning_rate": 3e-3, "weight_decay": decay})
    found = classic_settings(settings)
    assert len(set(found)) == len(found) == weights**2
    assert found[0] == (None, None)
    assert all(rate > 0 and own >= 0 for rate, own in found[1:])
    variants = EmoBed().variants(settings)
    counts = [sum(v.system == name and v.seed == 1 for v in variants) for name in ("classic", "emobed")]
    assert counts == [weights**2, weights**2]


def test_the_nearest_rates_and_decays_by_hand():
    grid = {"alpha": [0.0, 0.1, 0.3], "beta": [0.0, 0.03, 0.1]}
    optimiser = {"learning_rate": 1e-3, "weight_decay": 1e-4}
    assert classic_settings(learning(**grid, optimiser=optimiser))[1:] == [
        (3.16e-4, 1e-4), (1e-3, 1e-3), (1e-3, 1e-5),
    ]  # fmt: skip
    assert classic_settings(learning(**grid, optimiser=optimiser | {"weight_decay": 0.0}))[1:] == [
        (3.16e-4, 0), (1e-3, 1e-4), (3.16e-3, 0),
    ]  # fmt: skip
    none = learning(alpha=[0.0], beta=[0.0, 0.1], optimiser=optimiser)
    assert classic_settings(none) == [(None, None)]


def test_settings_of_ones_own_beside_the_shared_one():
    own = [{"learning_rate": 0.01, "weight_decay": 0.0}, {"learning_rate": 5e-3, "weight_decay": 1e-4}]
    settings = learning(classic={"settings": own})
    assert classic_settings(settings) == [(None, None), (0.01, 0.0)]  # the second is the shared one
    variants = EmoBed().variants(settings)
    assert Variant("classic", "lr=0.01 weight_decay=0", 2) in variants
    assert [GridPoint.of(variant).variant for variant in variants] == variants
    with pytest.raises(ValueError, match=r"learning_rate=0\.01 weight_decay=0\.0 twice"):
        learning(classic={"settings": [own[0], own[0]]})


def test_a_setting_is_the_classic_model_of_that_rate_and_decay_bit_by_bit():
    point = GridPoint(0.0, 0.0, 1, rate=0.02, decay=0.1)
    others = [GridPoint(a, b, 1) for a in (0.0, 0.3) for b in (0.0, 0.1)]
    mixed = {m.variant: m for m in train_program(data(), learning(), [point, *others])}
    shared = learning(optimiser={"learning_rate": 0.02, "weight_decay": 0.1})
    (alone,) = train_program(data(), shared, [GridPoint(0.0, 0.0, 1)])
    for name, tensor in alone.weights.items():
        assert torch.equal(tensor, mixed[point.variant].weights[name]), name
    (default,) = train_program(data(), learning(), [GridPoint(0.0, 0.0, 1)])
    assert torch.equal(mixed["classic", "", 1].weights["head.weight"], default.weights["head.weight"])


def test_keys_hold_what_a_setting_depends_on():
    own = {"settings": [{"learning_rate": 0.01, "weight_decay": 0.0}]}
    cases = ((5e-3, {}), (5e-3, {"classic": own}), (1e-3, {"classic": own}))
    keys = [
        unit_keys(EmoBed(), data(), learning(optimiser={"learning_rate": rate}, **more), "cpu")
        for rate, more in cases
    ]
    assert keys[0].items() <= keys[1].items()
    changed = {variant.setting for variant in keys[1] if keys[1][variant] != keys[2][variant]}
    assert changed == {"", "alpha=0.3", "beta=0.1", "alpha=0.3 beta=0.1"}
