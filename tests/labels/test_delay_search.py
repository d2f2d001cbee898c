from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d

from pipeline.labels import delay_search
from pipeline.labels.delay_search import RecordingRows, estimate_delay

HOP = 0.2


def world(
    lag: float, recordings: int = 6, frames: int = 400, features: int = 12, window: int = 21, seed: int = 0
):
    """Features see a smooth truth through centred windows, raters see it `lag` seconds late."""
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=features)
    rows, gold = {}, {}
    fine = 10
    for number in range(recordings):
        steps = np.arange((frames + 200) * fine)
        truth = sum(
            np.sin(2 * np.pi * steps * HOP / fine / period + rng.uniform(0, 6))
            for period in (9.0, 13.0, 23.0)
        )
        seen = truth[100 * fine : (100 + frames) * fine : fine]
        rated = truth[100 * fine - round(lag / HOP * fine) :][: frames * fine : fine]
        smooth = uniform_filter1d(seen, window, mode="nearest")
        values = (
            smooth[:, None] * mixing + rng.normal(size=(frames, features)) + 5 * rng.normal(size=features)
        )
        name = f"train_{number}"
        rows[name] = RecordingRows(name, np.arange(frames), values)
        gold[name] = rated + 0.3 * rng.normal(size=frames) + rng.normal()
    return rows, gold


@pytest.mark.parametrize("lag", [0.6, 1.5, 2.4, 3.14])
def test_the_raters_lag_is_found(lag):
    rows, gold = world(lag)
    found = estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 25)
    assert found.seconds == pytest.approx(lag, abs=0.1)
    assert found.delays[found.scores.argmax()] == pytest.approx(lag, abs=HOP)


def test_the_curve_is_the_mean_of_its_parts():
    rows, gold = world(2.0)
    other, late = world(2.4, seed=1)
    found = estimate_delay({"audio": rows, "video": other}, {"arousal": gold, "valence": late}, HOP, 25)
    assert set(found.parts) == {"audio.arousal", "audio.valence", "video.arousal", "video.valence"}
    information = [-0.5 * np.log(1 - np.maximum(r, 0) ** 2) for r in found.parts.values()]
    np.testing.assert_allclose(found.scores, np.mean(information, axis=0))
    np.testing.assert_allclose(found.delays, np.arange(26) * 0.2)
    assert found.parts["audio.arousal"].argmax() == 10
    assert found.parts["video.valence"].argmax() == 12


def test_scores_equal_a_naive_cross_validated_ridge(monkeypatch):
    monkeypatch.setattr(delay_search, "PENALTIES", (0.1,))
    rows, gold = world(1.0, recordings=3, frames=80, features=4)
    found = estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 10)
    names = sorted(rows)
    usable = 80 - 10
    inputs = [rows[name].values[:usable] - rows[name].values[:usable].mean(axis=0) for name in names]
    scale = np.sqrt(np.mean(np.concatenate(inputs) ** 2, axis=0))
    inputs = [values / scale for values in inputs]
    for delay in (0, 4, 10):
        targets = [gold[name][delay : delay + usable] for name in names]
        targets = [target - target.mean() for target in targets]
        scores = []
        for held_out in range(3):
            train = [place for place in range(3) if place != held_out]
            x, y = np.concatenate([inputs[p] for p in train]), np.concatenate([targets[p] for p in train])
            weights = np.linalg.solve(x.T @ x + 0.1 * len(x) * np.eye(4), x.T @ y)
            scores.append(np.corrcoef(inputs[held_out] @ weights, targets[held_out])[0, 1])
        assert found.parts["audio.arousal"][delay] == pytest.approx(np.mean(scores), abs=1e-10)


def test_the_standard_error_is_the_jackknife_over_recordings_and_falls_with_their_number():
    few, many = (
        estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 25).standard_error
        for rows, gold in (world(2.0, recordings=4), world(2.0, recordings=24))
    )
    assert 0 < many < few < 0.2


def test_a_delay_at_the_edge_is_said(caplog):
    rows, gold = world(4.0)
    assert estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 10).seconds == 2.0
    assert "is the first or last tried" in caplog.text


def test_recordings_of_a_speaker_are_held_out_together():
    assert delay_search._folds(["b", "a", "b", "c"]) == [1, 0, 1, 2]


def test_thinned_rows_find_the_same_delay():
    rows, gold = world(2.4)
    thin = {
        name: RecordingRows(item.speaker, item.frames[::3], item.values[::3]) for name, item in rows.items()
    }
    assert estimate_delay({"audio": thin}, {"arousal": gold}, HOP, 25).seconds == pytest.approx(2.4, abs=0.15)


def test_many_features_are_reduced_and_constant_or_missing_ones_do_no_harm():
    rows, gold = world(2.4, features=300)
    for item in rows.values():
        item.values[:, 0] = 7.0
        item.values[5, 1] = np.nan
    assert estimate_delay({"video": rows}, {"valence": gold}, HOP, 25).seconds == pytest.approx(2.4, abs=0.1)


def test_same_input_same_curve():
    rows, gold = world(2.4, features=200)
    first = estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 25)
    second = estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 25)
    np.testing.assert_array_equal(first.scores, second.scores)


@pytest.mark.parametrize(
    ("recordings", "frames"), [(1, 400), (4, 20)], ids=["one speaker", "shorter than the longest delay"]
)
def test_too_little_to_search_on_is_refused(recordings, frames):
    rows, gold = world(0.4, recordings=recordings, frames=frames)
    with pytest.raises(
        ValueError, match=r"speakers with features and gold standard in train and dev \(audio, arousal"
    ):
        estimate_delay({"audio": rows}, {"arousal": gold}, HOP, 25)


def test_no_features_is_refused():
    with pytest.raises(ValueError, match="extract features first"):
        estimate_delay({}, {"arousal": {}}, HOP, 25)
