"""Votes -> codes of distributions, and systems that grade their triplets by them."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from pipeline.learning.sequences import MISSING
from pipeline.learning.systems.emobed.grid import fingerprints, grid_points
from pipeline.learning.systems.emobed.grid_point import GridPoint
from pipeline.learning.systems.emobed.training import train_program
from pipeline.learning.systems.emobed.training_data import training_data
from pipeline.learning.votes import coded, votes_of_dimension
from tests.learning.synthetic import learning, sessions
from tests.learning.systems.emobed.test_controls import assert_equal_models, experiment
from tests.learning.systems.emobed.test_training import GRID, made_up

FEW = {"epochs": 2, "average_epochs": 1}
GRADED = GridPoint(0.0, 0.1, 1, graded=True)


def table(*rows: tuple[str, int, int, float], dimension: str = "arousal") -> pd.DataFrame:
    columns = ["recording", "frame", "triplet_class", "share"]
    return pd.DataFrame(rows, columns=columns).assign(dimension=dimension)


def disagreeing(names, frames: int) -> dict[str, np.ndarray]:
    """Return shares of two classes that vary from frame to frame."""
    random = np.random.default_rng(2)
    highs = {name: random.integers(0, 7, frames) / 6 for name in names}
    return {name: np.stack((1 - high, high), axis=1).astype(np.float32) for name, high in highs.items()}


def test_shares_of_a_dimension_by_recording():
    rows = table(("a", 0, 1, 1.0), ("a", 2, 0, 0.25), ("a", 2, 1, 0.75), ("b", 0, 0, 1.0))
    votes = pd.concat([rows, table(("a", 0, 4, 1.0), dimension="valence")])
    found = votes_of_dimension(votes, "arousal")
    np.testing.assert_array_equal(found["a"], np.float32([[0, 1], [0, 0], [0.25, 0.75]]))
    np.testing.assert_array_equal(found["b"], np.float32([[1, 0]]))
    assert votes_of_dimension(None, "arousal") == {}


def test_codes_stand_for_the_distribution_of_each_frame():
    sequences = made_up(2, "train", 3, 0, frames=4)
    classes = (np.array([0, 1, MISSING, 2]), np.array([1, 1, 0, MISSING]))
    sequences = dataclasses.replace(sequences, classes=classes)
    votes = {"train_0": np.float32([[0.5, 0.5], [0, 0], [1, 0]])}
    shares, (found, same) = coded((sequences, sequences), votes)
    seen = [[shares[code].tolist() if code != MISSING else None for code in own] for own in found.classes]
    assert seen == [
        [[0.5, 0.5, 0], [0, 1, 0], None, [0, 0, 1]],  # the last two have the class alone, or none
        [[0, 1, 0], [0, 1, 0], [1, 0, 0], None],
    ]
    for one, other in zip(found.classes, same.classes, strict=True):
        np.testing.assert_array_equal(one, other)


def with_votes(**groups):
    settings = learning(optimiser=FEW, triplet={"frames": 20, **groups.pop("triplet", {})}, **groups)
    corpus = experiment(sessions(frames=40))
    names = corpus.views["target"].labelled.recordings
    return settings, dataclasses.replace(corpus, votes=disagreeing(names, 40))


ALL = ["classic", "joint", "triplet", "emobed", "graded_triplet"]


def test_where_raters_agree_it_is_the_triplet_system_bit_by_bit():
    settings, corpus = with_votes(systems=ALL)
    agreed = training_data(dataclasses.replace(corpus, votes={}), settings)
    points = [*GRID, GRADED]
    found = {
        point: model for point, model in zip(points, train_program(agreed, settings, points), strict=True)
    }
    assert_equal_models(found[GRADED], found[GridPoint(0.0, 0.1, 1)])
    # and with votes it is not, while the others are what they were
    data = training_data(corpus, settings)
    graded = train_program(data, settings, [*GRID, GRADED])
    for point, model in zip(GRID, graded, strict=False):
        assert_equal_models(model, found[point])
    curves = graded[-1].curve, found[GRADED].curve
    assert np.isfinite(curves[0][:, 2]).all()
    assert not np.allclose(*(curve[:, 2] for curve in curves))
    assert_equal_models(train_program(data, settings, [GRADED])[0], graded[-1])


def test_with_distance_label_all_systems_see_votes_and_the_placebo_those_of_others():
    systems = ["classic", "joint", "triplet", "emobed", "placebo", "same_modality"]
    settings, corpus = with_votes(systems=systems, triplet={"distance": "label"})
    plain = learning(optimiser=FEW, triplet={"frames": 20}, systems=systems)
    data = training_data(corpus, settings)
    (triplet,) = train_program(data, settings, [GridPoint(0.0, 0.1, 1)])
    graded_settings, _ = with_votes(systems=ALL)
    (graded,) = train_program(training_data(corpus, graded_settings), graded_settings, [GRADED])
    assert_equal_models(triplet, graded)
    placebo = GridPoint(0.3, 0.1, 1, "placebo")
    one = train_program(data, settings, [GridPoint(0.3, 0.1, 1), placebo])[1]
    assert data.distributions is not None
    for permuted, own in zip(data.distributions.permuted[1], data.permuted[1].classes, strict=True):
        np.testing.assert_array_equal(permuted == MISSING, own == MISSING)
    # its loss does not see the true ones
    nonsense = tuple(np.zeros_like(own) for own in data.distributions.auxiliary)
    lied = dataclasses.replace(data.distributions, auxiliary=nonsense)
    again = train_program(dataclasses.replace(data, distributions=lied), settings, [placebo])[0]
    assert_equal_models(again, one)
    # keys in the store: those of models without a triplet loss stay, the others differ
    points = grid_points(settings)
    keys, before = (fingerprints(training_data(corpus, own), own, points, "cpu") for own in (settings, plain))
    for point in points:
        assert (keys[point] == before[point]) == (point.beta == 0), point
    data.same_modality()


def test_a_model_that_sees_votes_depends_on_them():
    settings, corpus = with_votes(systems=ALL)
    other = dataclasses.replace(corpus, votes=disagreeing(list(corpus.votes)[1:], 40))
    keys = [
        fingerprints(training_data(own, settings), settings, grid_points(settings), "cpu")
        for own in (corpus, other)
    ]
    changed = {point.system for point in keys[0] if keys[0][point] != keys[1][point]}
    assert changed == {"graded_triplet"}
    assert "distance" not in str(keys[0][GRADED]["learning"])


def test_a_corpus_without_raters_is_told(caplog):
    settings, corpus = with_votes(systems=ALL)
    found = training_data(dataclasses.replace(corpus, votes={}), settings)
    assert "the corpus keeps no raters" in caplog.text
    assert found.distributions is not None
    assert torch.equal(torch.from_numpy(found.distributions.shares).sum(1), torch.ones(2))
    assert training_data(corpus, learning(optimiser=FEW)).distributions is None


@pytest.mark.parametrize("seed", [1, 2])
def test_points_keep_their_names(seed):
    point = GridPoint(0.0, 0.1, seed, graded=True)
    assert point.variant == ("graded_triplet", "beta=0.1", seed)
    assert GridPoint.of(point.variant) == point
    assert point in grid_points(learning(systems=ALL))
