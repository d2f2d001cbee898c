from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.reporting.loading_predictions import confusions
from pipeline.reporting.unit_tables import class_table
from pipeline.scoring.reliability import reliability


def test_reliability_by_hand():
    """Two bins: three predictions at .55 of which one is right, two at .9 of which both are."""
    scores = np.array([[0.55, 0.45], [0.45, 0.55], [0.55, 0.45], [0.9, 0.1], [0.1, 0.9]])
    found = reliability(scores, np.array([0, 0, 1, 0, 1]))
    assert found.confidence == pytest.approx([0.55, 0.9])
    assert found.accuracy == pytest.approx([1 / 3, 1.0])
    assert found.share == pytest.approx([0.6, 0.4])
    assert found.error == pytest.approx(0.6 * (0.55 - 1 / 3) + 0.4 * 0.1)


def test_reliability_of_calibrated_scores_is_near_zero_and_of_a_sure_guesser_one_minus_accuracy():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1.0, 200_000)
    right = rng.random(len(sure)) < sure
    assert reliability(np.stack([sure, 1 - sure], axis=1), np.where(right, 0, 1)).error < 0.005
    certain = np.eye(4)[rng.integers(0, 4, 20_000)]
    assert reliability(certain, rng.integers(0, 4, 20_000)).error == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("scores", [np.zeros((0, 2)), np.full((3, 2), 0.7), np.array([[1.5, -0.5]])])
def test_what_is_no_probability_is_refused(scores):
    with pytest.raises(ValueError, match=r"no predictions|do not add up to 1"):
        reliability(scores, np.zeros(len(scores), int))


def classified() -> pd.DataFrame:
    """Two seeds; system a with probabilities, b with distances."""
    rows = []
    for system, factor in (("classic", 1.0), ("emobed", 3.0)):
        for seed in (1, 2):
            for name, gold, scores in (("u1", 0, (0.7, 0.3)), ("u2", 1, (0.6, 0.4)), ("u3", 1, (0.2, 0.8))):
                scaled = [factor * score for score in scores]
                rows.append((system, "", seed, name, gold, int(np.argmax(scores)), *scaled))
    names = ["system", "setting", "seed", "recording", "gold", "prediction", "score_0", "score_1"]
    return pd.DataFrame(rows, columns=names)


def test_confusions_by_hand():
    rows = {"x": classified()}
    counts = confusions(rows)["x"]
    assert counts["classic"].tolist() == counts["emobed"].tolist() == [[2, 0], [2, 2]]


def test_scores_of_classes_by_hand():
    table = class_table(confusions({"x": classified()})["x"], ("sad", "happy"), 2, "x")
    sad, happy = ([cell.text for cell in row] for row in table.rows)
    # sad: predicted 4, right 2 of 2; happy: predicted 2, right 2 of 4; support of one seed
    assert sad == ["sad", "1", ".500", "1.000", ".667", ".500", "1.000", ".667"]
    assert happy == ["happy", "2", "1.000", ".500", ".667", "1.000", ".500", ".667"]
    never = class_table({"classic": np.array([[2.0, 0.0], [0.0, 0.0]])}, ("sad", "happy"), 1, "x").rows[1]
    assert [cell.text for cell in never] == ["happy", "0", "–", "–", "–"]
