"""Dataclasses of arrays, compared."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from pipeline.learning.scaling import Scaler
from pipeline.learning.speaker_statistics import SpeakerStatistics, Values
from pipeline.recogniser.prediction import Prediction
from pipeline.store.rows import Rows

NAN = float("nan")


def rows() -> Rows:
    return Rows(
        np.zeros(2), np.ones(2), np.array([[1, NAN], [2, 3]], np.float32), np.ones(2, bool), ("a", "b")
    )


def prediction() -> Prediction:
    return Prediction(np.zeros(2), np.array([1, NAN]), np.ones(2, bool), np.ones((3, 2)))


def scaler() -> Scaler:
    values = np.random.default_rng(0).normal(size=(9, 2))
    return Scaler.fit([Values(values, np.ones(9, bool))], "standard")


def statistics() -> SpeakerStatistics:
    return SpeakerStatistics.of([Values(np.ones((2, 3)), np.ones(2, bool))], 3)


OTHERS = {
    rows: {"values": np.zeros((2, 2), np.float32), "names": ("a", "c"), "end": np.ones(2, np.float32)},
    prediction: {"by_seed": np.ones((2, 2)), "beyond": 0.5, "end": np.ones(2)},
    scaler: {"arrays": {}, "clip": 1.0},
    statistics: {"mean": np.zeros(3)},
}


@pytest.mark.parametrize("make", OTHERS)
def test_they_are_equal_with_the_same_values_and_not_with_others(make):
    assert make() == make()
    assert make() != "another class"
    for name, other in OTHERS[make].items():
        assert make() != dataclasses.replace(make(), **{name: other}), name
    with pytest.raises(TypeError, match="unhashable"):
        hash(make())
