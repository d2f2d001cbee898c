"""Systems of single rows against scikit-learn called directly on the same matrices."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.special
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.svm import SVC, LinearSVC, LinearSVR

from pipeline.learning.row_learner import RowData
from pipeline.learning.seeding import stream_seed
from pipeline.learning.systems.random_forest import RandomForest
from pipeline.learning.systems.support_vectors import SupportVectors, ridge
from pipeline.learning.training import unit_keys
from pipeline.params import Grid, Learning
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from tests.learning.run_experiment import run_experiment
from tests.learning.synthetic import MemoryCache, clips, learning, sessions, shop
from tests.learning.systems.emobed.test_training import made_up
from tests.learning.train_models import train_models

DELAY = 3


def settings(corpus: str = "demo_sessions", **groups) -> Learning:
    return learning(
        corpus,
        systems=["random_forest", "support_vectors"],
        random_forest={"trees": 7, "depth": [2, 6]} | groups.pop("random_forest", {}),
        support_vectors={"C": [0.01, 1.0]} | groups.pop("support_vectors", {}),
        **groups,
    )


def regression(seed: int = 1) -> RowData:
    train, dev = made_up(5, "train", 6, seed), made_up(2, "dev", 6, 3)
    return RowData(np.concatenate(train.features), np.concatenate(train.labels).astype(float), dev, 0, DELAY)


def classes() -> RowData:
    """Four classes, of which train never shows the third; `evaluation` is as long as for regression."""
    data = regression()
    codes = np.digitize(data.labels, [-0.2, 0.2])
    return dataclasses.replace(data, labels=np.array([0.0, 1.0, 3.0])[codes], classes=4)


def moved(values: np.ndarray) -> np.ndarray:
    """Shift back by hand: the first value is held."""
    return np.concatenate((np.repeat(values[:1], DELAY, axis=0), values[:-DELAY]))


def test_a_forest_equals_scikit_learns():
    for data, kind in ((regression(), RandomForestRegressor), (classes(), RandomForestClassifier)):
        models = train_models(RandomForest(), data, settings())
        assert [m.variant[1:] for m in models] == [(f"depth={d}", s) for d in (2, 6) for s in (1, 2)]
        for model, (depth, seed) in zip(models, ((2, 1), (2, 2), (6, 1), (6, 2)), strict=True):
            state = stream_seed(seed, "forest") % 2**32
            theirs = kind(n_estimators=7, max_depth=depth, random_state=state)
            theirs.fit(data.features, data.labels)
            for values, found in zip(data.evaluation.features, model.predictions, strict=True):
                expected = theirs.predict_proba(values) if data.classes else theirs.predict(values)[:, None]
                if data.classes:
                    expected = np.insert(expected, 2, 0.0, axis=1)
                np.testing.assert_array_equal(found, moved(expected.astype(np.float32)))


def test_support_vectors_equal_scikit_learns():
    for data, kind in ((regression(), LinearSVR), (classes(), LinearSVC)):
        models = train_models(SupportVectors(), data, settings())
        assert [m.variant[1:] for m in models] == [("C=0.01", 1), ("C=1", 1)]
        loss = "squared_hinge" if data.classes else "squared_epsilon_insensitive"
        for model, cost in zip(models, (0.01, 1.0), strict=True):
            exact = {} if data.classes else {"tol": 1e-10}  # without a zone ours has none
            theirs = kind(C=cost, loss=loss, dual=False, max_iter=10_000, **exact)
            theirs.fit(data.features, data.labels)
            for values, found in zip(data.evaluation.features, model.predictions, strict=True):
                if data.classes:
                    shares = scipy.special.softmax(theirs.decision_function(values), axis=1)
                    expected = np.insert(shares, 2, 0.0, axis=1)
                    assert (theirs.classes_[shares.argmax(1)] == theirs.predict(values)).all()
                else:
                    expected = theirs.predict(values)[:, None]
                np.testing.assert_allclose(found, moved(expected), atol=1e-6)


def test_two_classes_have_one_plane_and_two_scores():
    data = dataclasses.replace(regression(), labels=(regression().labels > 0).astype(float), classes=2)
    model = train_models(SupportVectors(), data, settings())[-1]
    theirs = SVC(kernel="linear").fit(data.features, data.labels)  # another solver and loss
    found = np.concatenate([p.argmax(1) for p in model.predictions])
    expected = np.concatenate([moved(theirs.predict(v)) for v in data.evaluation.features])
    assert model.weights["planes"].shape == (1, 7)
    assert (found == expected).mean() > 0.9


@pytest.mark.parametrize("learner", [RandomForest(), SupportVectors()])
def test_whatever_matters_changes_the_key(learner):
    cache = MemoryCache({})
    count = len(train_models(learner, regression(), settings(), shop(cache)))
    for data, given in (
        (regression(), settings(alpha=[0.0, 0.7], optimiser={"epochs": 9})),  # of other systems
        (regression(), settings(beta=[0.0])),
    ):
        assert set(unit_keys(learner, data, given, "cpu").values()) == set(cache.units)
    other = settings(
        random_forest={"trees": 8, "depth": [2, 6]}, support_vectors={"C": [0.01, 1], "epsilon": 1}
    )
    for data, given in (
        (regression(), other),
        (regression(seed=2), settings()),
        (dataclasses.replace(regression(), delay_frames=2), settings()),
        (dataclasses.replace(regression(), evaluation=made_up(2, "dev", 6, 4)), settings()),
    ):
        keys = set(unit_keys(learner, data, given, "cpu").values())
        assert len(keys) == count
        assert not keys & set(cache.units)


@pytest.mark.parametrize("corpus", ["demo_sessions", "demo_clips"])
def test_a_whole_experiment_is_scored_and_predicted_again_from_its_file(tmp_path, corpus):
    """Beside EmoBed's systems, with which it shares scaling, files and the way back."""
    given = sessions() if corpus == "demo_sessions" else clips()
    own = settings(corpus).model_copy(update={"systems": ("classic", "random_forest", "support_vectors")})
    run_experiment(
        recordings=given.recordings, sources={"target": given.audio, "auxiliary": given.video},
        labels=given.labels, dimension="arousal" if corpus == "demo_sessions" else "emotion",
        task="regression" if corpus == "demo_sessions" else "classification",
        grid=Grid(window=0.4, hop=0.2) if corpus == "demo_sessions" else Grid(window=None, hop=None),
        delay_frames=DELAY if corpus == "demo_sessions" else 0, learning=own, models_directory=tmp_path,
        predictions_path=tmp_path / "raw.parquet", scenario="audio+video",
    )  # fmt: skip
    raw = pd.read_parquet(tmp_path / "raw.parquet")
    counts = raw.groupby(["system", "setting"])["seed"].nunique().to_dict()
    assert counts == {
        ("classic", ""): 2, ("random_forest", "depth=2"): 2, ("random_forest", "depth=6"): 2,
        ("support_vectors", "C=0.01"): 1, ("support_vectors", "C=1"): 1,
    }  # fmt: skip
    assert set(pd.read_parquet(tmp_path / "curves.parquet")["system"]) == {"classic"}
    for system, setting in (("random_forest", "depth=6"), ("support_vectors", "C=1")):
        model = ModelsOfSetting.load(tmp_path / "models.safetensors", system, setting)
        rows = raw[(raw["system"] == system) & (raw["setting"] == setting) & (raw["recording"] == "test_1")]
        found = model.predict(given.audio.read("test_1"))
        for seed, part in zip([v.seed for v in model.variants], found, strict=True):
            here = rows[rows["seed"] == seed]
            scores = (
                here.filter(like="score_").to_numpy() if part.ndim == 2 else here["prediction"].to_numpy()
            )
            np.testing.assert_array_equal(part, scores.astype(np.float32))
        with pytest.raises(ValueError, match="no embeddings"):
            model.embed(given.audio.read("test_1"))


@pytest.mark.parametrize("shape", [(200, 12), (15, 40)])
def test_without_a_zone_the_plane_is_the_minimum_of_what_liblinear_minimises(shape):
    """Of many rows and of many features; no step away from it makes the objective smaller."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=shape)
    labels = features @ rng.normal(size=shape[1]) + 0.3 * rng.normal(size=shape[0]) + 2
    for cost in (1e-3, 1.0):
        plane = ridge(features, labels, cost)
        rows = np.column_stack((features, np.ones(len(features))))
        gradient = plane - 2 * cost * rows.T @ (labels - rows @ plane)
        assert np.abs(gradient).max() < 1e-9 * max(1, np.abs(2 * cost * rows.T @ labels).max())
        theirs = LinearSVR(
            loss="squared_epsilon_insensitive", epsilon=0.0, C=cost, dual=False, max_iter=100_000, tol=1e-10
        ).fit(features, labels)
        np.testing.assert_allclose(plane, [*theirs.coef_, *theirs.intercept_], atol=1e-5)


@pytest.mark.parametrize("shape", [(60, 5), (6, 20)])
@pytest.mark.parametrize("cost", [1e16, 1e20, 1e300])
def test_ridge_regression_with_features_that_follow_from_others_and_hardly_any_penalty(shape, cost):
    """The plane is then that of least squares, of these the one with the smallest weights."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=shape)
    features[:, 1], features[:, 2], features[-1] = features[:, 0], 1.0, features[0]
    labels = rng.normal(size=shape[0])
    rows = np.column_stack((features, np.ones(len(features))))
    expected = np.linalg.pinv(rows) @ labels
    np.testing.assert_allclose(ridge(features, labels, cost), expected, atol=1e-6)
